"""Every event names both principals and the whole chain, in a fixed vocabulary."""

from typing import Any

import pytest
from sqlalchemy import select

from deputize.audit.record import Event, record
from deputize.audit.vocabulary import KINDS, REASONS
from deputize.delegation.models import person
from support.agents_http import decode, new_key, outcome, pkce
from support.world import CALENDAR, CALLBACK, World


def newest(world: World, kind: str, **columns: Any) -> dict[str, Any]:
    found = [
        event
        for event in world.events(kind)
        if all(event[name] == value for name, value in columns.items())
    ]
    assert found
    return found[-1]


def id_of(world: World, name: str) -> str:
    with world.context.db.read() as tx:
        return str(tx.execute(select(person.c.id).where(person.c.host_key == name)).scalar_one())


class TestTheChain:
    def test_a_token_names_the_person_and_all_agents_down_to_who_acts(self, world: World) -> None:
        taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
        told = newest(world, "delegation.issued", delegation_id=decode(taken)[1]["delegation_id"])
        assert (told["person_id"], told["agent"]) == (id_of(world, "ana"), "booker")
        assert told["facts"]["chain"] == ["planner", "booker"]
        assert told["chain"] == " planner booker "

    def test_so_does_its_end(self, world: World) -> None:
        taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
        world.agent("booker").revoke(taken)
        told = newest(world, "delegation.ended", delegation_id=decode(taken)[1]["delegation_id"])
        assert told["facts"]["chain"] == ["planner", "booker"]
        assert told["facts"]["why"] == "revoked"

    def test_the_end_of_a_task_names_the_agent_that_was_deputized(self, world: World) -> None:
        hold = world.hold()
        world.agent("planner").revoke(hold)
        told = newest(world, "task.ended", task_id=decode(hold)[1]["task_id"])
        assert (told["facts"]["chain"], told["facts"]["why"]) == (["planner"], "revoked")

    def test_a_helper_that_ends_with_its_parent_names_that(self, world: World) -> None:
        hold = world.hold()
        child = world.spawn("planner", hold, "calendar:read")
        world.agent("planner").revoke(hold)
        told = newest(world, "agent.retired", agent=child)
        assert (told["person_id"], told["facts"]["chain"]) == (id_of(world, "ana"), ["planner"])
        assert told["delegation_id"] == decode(hold)[1]["delegation_id"]

    def test_a_consent_names_the_agent(self, world: World) -> None:
        world.hold(person="eve")
        told = newest(world, "consent.granted", person_id=id_of(world, "eve"))
        assert told["facts"]["chain"] == ["planner"]


class TestARefusal:
    """Both principals, as far as the request proved them."""

    def test_of_a_token_that_is_ones_own(self, world: World) -> None:
        hold = world.hold()
        world.agent("planner").revoke(hold)
        world.agent("planner").exchange(hold, resource=CALENDAR)
        self.names_planner_for_ana(world, hold, "planner", "delegation.ended")

    def test_of_a_token_that_somebody_else_shows(self, world: World) -> None:
        hold = world.hold()
        world.agent("booker").exchange(hold, resource=CALENDAR)
        self.names_planner_for_ana(world, hold, "booker", "subject.not_the_actor")

    def test_of_a_refresh_token_that_somebody_else_shows(self, world: World) -> None:
        consented = world.consent().json()
        refresh = {"grant_type": "refresh_token", "refresh_token": consented["refresh_token"]}
        answer = world.agent("booker").post("token_endpoint", **refresh)
        assert outcome(answer) == (400, "invalid_grant")
        self.names_planner_for_ana(world, consented["access_token"], "booker", "refresh.unknown")

    def test_of_a_question_to_the_person(self, world: World) -> None:
        hold = world.hold()
        answer = world.agent("planner").post(
            "backchannel_authentication_endpoint",
            scope="openid calendar:read",
            login_hint_token=hold,
            resource=CALENDAR,
        )
        assert answer.status_code == 400
        its = decode(hold)[1]["delegation_id"]
        told = newest(world, "backchannel.refused", agent="planner", delegation_id=its)
        assert told["facts"]["chain"] == ["planner"]

    def test_of_a_code_names_who_granted_it(self, world: World) -> None:
        code = world.code(pkce()[1], person="eve")
        world.agent("planner").post(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=pkce()[0],
        )
        assert newest(world, "token.refused", rule="code.unknown", person_id=id_of(world, "eve"))

    def test_names_nobody_by_a_token_that_was_made_up(self, world: World) -> None:
        header, payload, _ = world.hold().split(".")
        world.agent("planner").exchange(f"{header}.{payload}.AAAA", resource=CALENDAR)
        told = newest(world, "token.refused", rule="subject.not_ours")
        assert (told["person_id"], told["delegation_id"], told["chain"]) == (None, None, None)

    def test_names_nobody_by_a_code_that_was_made_up(self, world: World) -> None:
        world.agent("planner").post(
            "token_endpoint",
            grant_type="authorization_code",
            code="x" * 43,
            redirect_uri=CALLBACK,
            code_verifier=pkce()[0],
        )
        assert newest(world, "token.refused", rule="code.unknown", person_id=None)

    def names_planner_for_ana(self, world: World, hold: str, agent: str, rule: str) -> None:
        claims = decode(hold)[1]
        told = newest(world, "token.refused", agent=agent, rule=rule)
        assert told["person_id"] == id_of(world, "ana")
        assert (told["task_id"], told["delegation_id"]) == (
            claims["task_id"],
            claims["delegation_id"],
        )
        assert told["facts"]["chain"] == ["planner"]


class TestTheVocabulary:
    @pytest.mark.parametrize(
        "unknown", [Event("delegation.lost"), Event("agent.retired", facts={"why": "whim"})]
    )
    def test_another_word_is_never_written(self, world: World, unknown: Event) -> None:
        before = len(world.events())
        with pytest.raises(ValueError, match="vocabulary"), world.context.db.write() as tx:
            record(tx, unknown)
        assert len(world.events()) == before

    def test_each_word_has_a_sentence(self) -> None:
        for word, told in (KINDS | REASONS).items():
            assert told.endswith("."), word
        assert list(KINDS) == sorted(KINDS)
        assert list(REASONS) == sorted(REASONS)

    def test_a_spawn_that_is_refused_tells_of_the_parent(self, world: World) -> None:
        hold = world.hold(untick=("agents:spawn",))
        answer = world.agent("planner").ask_to_spawn(hold, "calendar:read", new_key())
        assert outcome(answer) == (400, "invalid_scope")
        told = newest(world, "token.refused", rule="scope.no_spawn")
        assert told["facts"]["chain"] == ["planner"]
