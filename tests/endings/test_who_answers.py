"""Nobody acts for whom nobody answers: owners who leave, and agents that nobody uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deputize.agents.lifecycle import Status
from deputize.agents.models import BLUEPRINT, Agent, find_agent
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import start_agent
from deputize.endings.unused import Unused, act_on_unused
from deputize.settings import Agents
from support.agents_http import decode
from support.world import World, running_world

DAY = 86_400
RULE = Agents(unused_reported=10 * DAY, unused_suspended=20 * DAY)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        for name in ("planner", "booker", "checker", "mallory"):
            running.stop(name, Status.RETIRED)
        yield running


def now_there(world: World, client_id: str) -> Agent:
    with world.context.db.read() as tx:
        found = find_agent(tx, client_id)
    assert found is not None
    return found


def why(world: World, kind: str) -> list[tuple[str, str]]:
    return [(told["agent"], told["facts"].get("why", "")) for told in world.events(kind)]


class TestAnOwnerWhoLeft:
    def test_hands_it_to_the_sponsor_and_what_it_held_ends(self, world: World) -> None:
        world.register("guide", owner="ben", sponsor="eve")
        hold = world.hold("guide")
        person_left(world.context.db, "ben", why="left")
        guide = now_there(world, "guide")
        assert (guide.owner, guide.sponsor, guide.status) == ("eve", None, Status.ACTIVE)
        assert not world.agent("guide").introspect(hold).json()["active"]
        assert ("guide", "owner_left") in why(world, "agent.handed_on")

    def test_without_a_sponsor_it_is_suspended(self, world: World) -> None:
        world.register("guide", owner="ben")
        hold = world.hold("guide")
        person_left(world.context.db, "ben", why="left")
        assert now_there(world, "guide").status == Status.SUSPENDED
        assert world.agent("guide").introspect(hold).status_code == 401
        assert ("guide", "owner_left") in why(world, "agent.suspended")

    @pytest.mark.parametrize("sponsor", ["ben", "eve"])
    def test_a_sponsor_who_is_the_owner_or_gone_answers_for_nothing(
        self, world: World, sponsor: str
    ) -> None:
        world.register("guide", owner="ben", sponsor=sponsor)
        world.register("other", owner="nobody")
        world.hold("other", "eve")
        person_left(world.context.db, "eve", why="left")
        person_left(world.context.db, "ben", why="left")
        assert now_there(world, "guide").status == Status.SUSPENDED

    def test_said_again_it_changes_nothing(self, world: World) -> None:
        world.register("guide", owner="ben", sponsor="eve")
        for _ in range(2):
            person_left(world.context.db, "ben", why="left")
        assert len(world.events("agent.handed_on")) == 1
        assert now_there(world, "guide").owner == "eve"

    def test_nobody_starts_again_what_nobody_answers_for(self, world: World) -> None:
        world.register("guide", owner="ben")
        world.hold("guide", "ben")
        person_left(world.context.db, "ben", why="left")
        assert not start_agent(world.context.db, "guide")
        world.edit("guide", owner="eve")
        assert start_agent(world.context.db, "guide")

    def test_nor_where_who_left_had_let_no_agent_act_themselves(self, world: World) -> None:
        world.register("guide", owner="ben")
        person_left(world.context.db, "ben", why="left")
        assert not start_agent(world.context.db, "guide")

    def test_a_sponsor_who_left_before_answers_for_nothing(self, world: World) -> None:
        """They had let no agent act for them: nothing but the agent knew them here."""
        world.register("guide", owner="ben", sponsor="eve")
        person_left(world.context.db, "eve", why="left")
        person_left(world.context.db, "ben", why="left")
        assert now_there(world, "guide").status == Status.SUSPENDED

    def test_who_is_nobody_here_leaves_no_trace(self, world: World) -> None:
        person_left(world.context.db, "ana", why="left")
        assert world.events("person.left") == []

    def test_others_agents_go_on(self, world: World) -> None:
        world.register("guide", owner="eve")
        hold = world.hold("guide")
        person_left(world.context.db, "ben", why="left")
        assert world.agent("guide").introspect(hold).json()["active"]


class TestAnAgentThatNobodyUses:
    def test_is_reported_then_suspended_each_once(self, world: World) -> None:
        world.register("idle", created_at=world_now(world))
        db = world.context.db
        assert act_on_unused(db, RULE) == Unused([], [])
        world.pass_time(11 * DAY)
        assert act_on_unused(db, RULE) == Unused(["idle"], [])
        assert act_on_unused(db, RULE) == Unused([], [])
        world.pass_time(10 * DAY)
        assert act_on_unused(db, RULE).suspended == ["idle"]
        assert act_on_unused(db, RULE) == Unused([], [])
        assert now_there(world, "idle").status == Status.SUSPENDED

    def test_one_that_is_used_is_left_alone(self, world: World) -> None:
        world.register("busy", created_at=world_now(world))
        world.pass_time(15 * DAY)
        assert decode(world.hold("busy"))
        world.pass_time(9 * DAY)
        assert act_on_unused(world.context.db, RULE) == Unused([], [])

    def test_one_that_was_started_again_has_its_time_anew(self, world: World) -> None:
        world.register("idle", created_at=world_now(world))
        world.pass_time(21 * DAY)
        act_on_unused(world.context.db, RULE)
        world.start("idle")
        assert act_on_unused(world.context.db, RULE) == Unused([], [])

    def test_a_blueprint_is_used_by_its_instances(self, world: World) -> None:
        """It gets no token itself: it would be stopped, and all of them with it."""
        made_at = world_now(world)
        world.register("fleet", created_at=made_at, token_endpoint_auth_method=BLUEPRINT, jwks=None)
        world.register("fleet-1", created_at=made_at, blueprint="fleet")
        world.register("fleet-2", created_at=made_at, blueprint="fleet")
        world.pass_time(19 * DAY)
        world.hold("fleet-1")
        world.pass_time(2 * DAY)
        done = act_on_unused(world.context.db, RULE)
        assert (done.reported, done.suspended) == ([], ["fleet-2"])
        assert now_there(world, "fleet-1").status == Status.ACTIVE

    def test_zero_is_never(self, world: World) -> None:
        world.register("idle", created_at=world_now(world))
        world.pass_time(1000 * DAY)
        never = replace_rule(unused_reported=0, unused_suspended=0)
        assert act_on_unused(world.context.db, never) == Unused((), [])


def replace_rule(**changes: int) -> Agents:
    return RULE.model_copy(update=changes)


def world_now(world: World) -> int:
    with world.context.db.read() as tx:
        return tx.now
