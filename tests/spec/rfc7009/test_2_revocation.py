"""Revocation: 200 for every authenticated caller, and an end only by the token's own client."""

from typing import Any

import pytest

from support.agents_http import Agent, decode, http, outcome
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 7009", "2")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    world_on_each_engine.register("on-device", token_endpoint_auth_method="none", jwks=None)
    return world_on_each_engine


@pytest.fixture
def tree(world: World) -> dict[str, str]:
    """Planner's hold, its token for the calendar, booker's hold and booker's token."""
    planner, booker, root = world.agent("planner"), world.agent("booker"), world.hold()
    taken = world.hand_over(root, "planner", "booker", "calendar:read")
    return {
        "root": root,
        "calendar": planner.exchange(root, resource=CALENDAR).json()["access_token"],
        "taken": taken,
        "taken calendar": booker.exchange(taken, resource=CALENDAR).json()["access_token"],
    }


def alive(world: World, tree: dict[str, str]) -> set[str]:
    def is_alive(name: str) -> bool:
        agent = world.agent("booker" if name.startswith("taken") else "planner")
        return bool(agent.introspect(tree[name]).json()["active"])

    return {name for name in tree if is_alive(name)}


class TestByItsClient:
    """It ends the token's node and all below it."""

    @pytest.mark.parametrize(
        ("revoked", "by", "left"),
        [
            ("root", "planner", set()),
            ("calendar", "planner", {"root", "taken", "taken calendar"}),
            ("taken", "booker", {"root", "calendar"}),
            ("taken calendar", "booker", {"root", "calendar", "taken"}),
        ],
    )
    def test_what_is_below_ends_and_what_is_beside_lives(
        self, world: World, tree: dict[str, str], revoked: str, by: str, left: set[str]
    ) -> None:
        answer = world.agent(by).revoke(tree[revoked])
        assert answer.status_code == 200
        assert alive(world, tree) == left

    def test_a_hand_over_is_taken_back_with_what_was_made_of_it(self, world: World) -> None:
        root, planner = world.hold(), world.agent("planner")
        given = planner.exchange(root, audience="booker", scope="calendar:read").json()
        taken = world.agent("booker").exchange(given["access_token"]).json()["access_token"]
        planner.revoke(given["access_token"])
        assert world.agent("booker").introspect(taken).json() == {"active": False}
        assert planner.introspect(root).json()["active"]

    def test_every_lease_on_the_node_ends(self, world: World) -> None:
        first, planner = world.hold(), world.agent("planner")
        second = planner.exchange(first).json()["access_token"]
        planner.revoke(first)
        assert planner.introspect(second).json() == {"active": False}

    def test_one_that_expired_still_does(self, world: World) -> None:
        granted, planner = world.consent().json(), world.agent("planner")
        world.pass_time(400)
        assert planner.revoke(granted["access_token"]).status_code == 200
        refused = planner.post(
            "token_endpoint", grant_type="refresh_token", refresh_token=granted["refresh_token"]
        )
        assert outcome(refused) == (400, "invalid_grant")

    def test_a_refresh_token_ends_its_delegation(self, world: World) -> None:
        granted, planner = world.consent().json(), world.agent("planner")
        taken = world.hand_over(granted["access_token"], "planner", "booker", "calendar:read")
        planner.revoke(granted["refresh_token"])
        assert planner.introspect(granted["access_token"]).json() == {"active": False}
        assert world.agent("booker").introspect(taken).json() == {"active": False}

    def test_it_can_be_said_twice(self, world: World) -> None:
        token = world.hold()
        for _ in range(2):
            assert world.agent("planner").revoke(token).status_code == 200

    def test_it_is_told_once(self, world: World) -> None:
        before = len(world.events("delegation.ended"))
        token = world.hold()
        for _ in range(2):
            world.agent("planner").revoke(token)
        assert len(world.events("delegation.ended")) == before + 1

    @pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
    def test_a_hint_changes_nothing(self, world: World, hint: str) -> None:
        token = world.hold()
        world.agent("planner").revoke(token, token_type_hint=hint)
        assert world.agent("planner").introspect(token).json() == {"active": False}


class TestByAnybodyElse:
    """It does nothing, and says no word of it."""

    @pytest.mark.parametrize("other", ["booker", "mallory", "calendar-api"])
    @pytest.mark.parametrize("name", ["root", "calendar"])
    def test_the_token_lives_on(
        self, world: World, tree: dict[str, str], other: str, name: str
    ) -> None:
        caller = world.api() if other == "calendar-api" else world.agent(other)
        answer = caller.revoke(tree[name])
        nothing = caller.revoke("unknown")
        assert (answer.status_code, answer.content) == (200, nothing.content)
        assert alive(world, tree) == set(tree)

    def test_the_taker_does_not_end_the_hand_over(self, world: World) -> None:
        given = world.agent("planner").exchange(
            world.hold(), audience="booker", scope="calendar:read"
        )
        token = given.json()["access_token"]
        assert world.agent("booker").revoke(token).status_code == 200
        assert world.agent("booker").introspect(token).json()["active"]

    def test_a_refresh_token_lives_on(self, world: World) -> None:
        token = world.consent().json()["refresh_token"]
        assert world.agent("mallory").revoke(token).status_code == 200
        assert world.agent("planner").introspect(token).json()["active"]

    @pytest.mark.parametrize("token", ["x", "a.b.c", "drft_x", "dspw_x", "é", "a" * 20_000])
    def test_what_is_no_token_is_answered_the_same(self, world: World, token: str) -> None:
        assert world.agent("planner").revoke(token).status_code == 200

    def test_a_token_of_another_type_ends_nothing(self, world: World, tree: dict[str, str]) -> None:
        for typ in ("JWT", "secevent+jwt"):
            world.agent("planner").revoke(world.forge(decode(tree["root"])[1], typ))
        assert alive(world, tree) == set(tree)

    def test_without_authentication_it_is_refused(self, world: World, tree: dict[str, str]) -> None:
        form = {"token": tree["root"]}
        answer = http.post(world.metadata["revocation_endpoint"], data=form)
        assert outcome(answer) == (401, "invalid_client")
        assert alive(world, tree) == set(tree)


class TestPublicClients:
    """They prove nothing: what is found in a log ends nothing."""

    @staticmethod
    def consent(world: World) -> tuple[Agent, dict[str, Any]]:
        agent = Agent("on-device", world.metadata)
        granted: dict[str, Any] = world.consent("on-device", redeem_with=agent).json()
        return agent, granted

    @staticmethod
    def is_alive(agent: Agent, granted: dict[str, Any]) -> bool:
        token = granted["refresh_token"]
        answer = agent.post("token_endpoint", grant_type="refresh_token", refresh_token=token)
        return answer.status_code == 200

    def test_a_live_token_ends(self, world: World) -> None:
        agent, granted = self.consent(world)
        assert agent.revoke(granted["access_token"]).status_code == 200
        assert not self.is_alive(agent, granted)

    def test_a_refresh_token_ends(self, world: World) -> None:
        agent, granted = self.consent(world)
        agent.revoke(granted["refresh_token"])
        assert not self.is_alive(agent, granted)

    def test_an_expired_one_ends_nothing(self, world: World) -> None:
        agent, granted = self.consent(world)
        world.pass_time(301)
        assert agent.revoke(granted["access_token"]).status_code == 200
        assert self.is_alive(agent, granted)
