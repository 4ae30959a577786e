"""A decision point that speaks AuthZEN is asked at every decision, with nothing held open.

It may be slow, down, or talk nonsense: that costs its deadline and the answer that the
settings state.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deputize.cli import deputize
from deputize.policy.find import open_point
from deputize.policy.question import AgentFacts
from deputize.policy.question import Question as Asked
from deputize.settings import Policy
from policy.conftest import DEADLINE, AskedBy, asking_at
from support.agents_http import outcome
from support.asking import Asking
from support.decisions import Decisions, Question, answered
from support.world import CALENDAR, FLIGHTS, PAY, World, running_world


@pytest.fixture(scope="module")
def world(decisions: Decisions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, policy=asking_at(decisions)) as running:
        yield running


@pytest.fixture
def hold(world: World, decisions: Decisions) -> str:
    hold = world.hold()
    decisions.begin_again()
    return hold


def exchange(world: World, hold: str, resource: str = CALENDAR) -> httpx.Response:
    return world.agent("planner").exchange(hold, resource=resource)


def denied(_: Question) -> Any:
    return answered({"decision": False})


class TestTheQuestion:
    """Authorization API 1.0 §6.1: subject, action, resource, context."""

    def test_it_says_who_wants_what_through_whom(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        assert exchange(world, hold).status_code == 200
        (asked,) = decisions.asked
        assert (asked["subject"]["type"], asked["subject"]["id"]) == ("agent", "planner")
        assert asked["subject"]["properties"]["owner"] == "ben"
        assert asked["action"] == {"name": "issue"}
        assert (asked["resource"]["id"], asked["resource"]["properties"]) == (
            CALENDAR,
            {"kind": "api"},
        )
        context = asked["context"]
        assert context["chain"] == ["planner"]
        assert context["scope"] == ["calendar:read", "calendar:write"]
        assert context["grant_type"].endswith("token-exchange")
        assert 0 < context["task"]["seconds_left"] <= 8 * 3600
        assert context["signals"]["handed_over"] is False

    def test_it_names_nobody(self, world: World, decisions: Decisions, hold: str) -> None:
        exchange(world, hold)
        assert "ana" not in str(decisions.asked)
        assert len(decisions.asked[0]["context"]["person"]) >= 16

    def test_we_are_known_by_a_token(self, world: World, decisions: Decisions, hold: str) -> None:
        exchange(world, hold)
        assert decisions.tokens == ["Bearer what-we-are-known-by"]

    def test_each_grant_and_each_introspection_is_one(
        self, world: World, decisions: Decisions
    ) -> None:
        planner, refresh = world.agent("planner"), world.consent().json()["refresh_token"]
        planner.post("token_endpoint", grant_type="refresh_token", refresh_token=refresh)
        own = planner.post("token_endpoint", grant_type="client_credentials", resource=CALENDAR)
        assert world.is_active(own.json()["access_token"])
        told = [(q["action"]["name"], q["context"].get("grant_type")) for q in decisions.asked]
        assert told == [
            ("issue", "authorization_code"),
            ("issue", "refresh_token"),
            ("issue", "client_credentials"),
            ("introspect", None),
        ]

    def test_a_step_that_is_approved_is_asked_about_at_each_turn(
        self, asked_by: AskedBy, decisions: Decisions
    ) -> None:
        asking = asked_by("planner")
        decisions.begin_again()
        request = asking.asked()
        assert asking.say_yes() == "done"
        assert asking.poll(request).status_code == 200
        told = {(q["action"]["name"], q["context"]["approved"]) for q in decisions.asked}
        assert ("approve", True) in told
        assert ("issue", True) in told
        assert all(q["resource"]["id"] == PAY for q in decisions.asked)


class TestTheAnswer:
    """Authorization API 1.0 §6.2, and what its `context` adds."""

    def test_false_is_a_refusal(self, world: World, decisions: Decisions, hold: str) -> None:
        decisions.decide = denied
        refusal = world.refused(exchange, world, hold)
        assert refusal == (400, "invalid_request", "policy.denied")

    def test_the_policies_that_it_names_are_in_the_event(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        named = ["pay-limits", 7, "bad\nname", "x" * 100]
        decisions.decide = lambda _: answered(
            {"decision": False, "context": {"policies": named, "text": "secret"}}
        )
        answer = exchange(world, hold)
        assert "pay-limits" not in answer.text
        assert world.events("token.refused")[-1]["facts"]["detail"] == "pay-limits"

    def test_false_makes_a_token_inactive(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        token = exchange(world, hold).json()["access_token"]
        assert world.is_active(token)
        decisions.decide = denied
        assert world.api().introspect(token).json() == {"active": False}

    def test_step_up_asks_the_person(self, asked_by: AskedBy, decisions: Decisions) -> None:
        asking = asked_by("planner")
        doubted = {"decision": False, "context": {"outcome": "step_up"}}
        decisions.decide = lambda _: answered(doubted)
        refused = asking.agent.exchange(asking.hold, resource=FLIGHTS)
        assert outcome(refused) == (400, "interaction_required")
        usual = {"scope": "openid flights:search", "resource": FLIGHTS}
        request = Asking(asking.world, asking.agent, asking.hold, asking.person, usual).asked()
        assert asking.say_yes() == "done"
        assert asking.poll(request).json()["scope"] == "flights:search"


class TestKeeping:
    """An answer is kept for as long as it says, and no longer."""

    def ask_twice(self, world: World, decisions: Decisions, hold: str) -> int:
        decisions.asked.clear()
        assert exchange(world, hold).status_code == 200
        assert exchange(world, hold).status_code == 200
        return len(decisions.asked)

    @pytest.mark.parametrize("cache", ["", "no-store, max-age=60", "max-age=0", "max-age=x"])
    def test_what_says_nothing_is_not_kept(
        self, world: World, decisions: Decisions, hold: str, cache: str
    ) -> None:
        decisions.decide = lambda _: answered({"decision": True}, cache=cache)
        assert self.ask_twice(world, decisions, hold) == 2

    @pytest.mark.parametrize("said", [("no-store", "max-age=60"), ("max-age=60", "no-cache")])
    def test_nor_what_one_of_several_headers_forbids(
        self, world: World, decisions: Decisions, hold: str, said: tuple[str, str]
    ) -> None:
        """RFC 9110 §5.3: they are one list, in whatever order."""

        def decide(_: Question) -> Any:
            answer = answered({"decision": True})
            for value in said:
                answer.headers.add("Cache-Control", value)
            return answer

        decisions.decide = decide
        assert self.ask_twice(world, decisions, hold) == 2

    def test_max_age_is_kept_and_runs_out(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        decisions.decide = lambda _: answered({"decision": True}, cache="max-age=60")
        assert self.ask_twice(world, decisions, hold) == 1
        world.pass_time(50)
        assert self.ask_twice(world, decisions, hold) == 0
        world.pass_time(10)
        assert self.ask_twice(world, decisions, hold) == 1

    def test_another_question_has_another_answer(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        decisions.decide = lambda _: answered({"decision": True}, cache="max-age=60")
        exchange(world, hold)
        exchange(world, hold, FLIGHTS)
        world.agent("planner").exchange(hold, resource=CALENDAR, scope="calendar:read")
        assert len(decisions.asked) == 3

    def test_a_no_is_kept_as_well(self, world: World, decisions: Decisions, hold: str) -> None:
        decisions.decide = lambda _: answered({"decision": False}, cache="max-age=60")
        assert [exchange(world, hold).status_code for _ in range(2)] == [400, 400]
        assert len(decisions.asked) == 1


NONSENSE = {
    "an error": lambda _: answered({"decision": True}, status=500),
    "created": lambda _: answered({"decision": True}, status=201),
    "no decision": lambda _: answered({"decisions": []}),
    "a decision in words": lambda _: answered({"decision": "true"}),
    "a number": lambda _: answered({"decision": 1}),
    "a list": lambda _: answered([True]),
    "not JSON": lambda _: ("yes", 200),
    "deep": lambda _: ("[" * 60_000, 200),
}


class TestFailure:
    """No answer is the answer that the settings state: deny, where they state none."""

    @pytest.mark.parametrize("what", NONSENSE)
    def test_nonsense_is_no_answer(
        self, world: World, decisions: Decisions, hold: str, what: str
    ) -> None:
        decisions.decide = NONSENSE[what]  # type: ignore[assignment]
        refusal = world.refused(exchange, world, hold)
        assert refusal == (503, "temporarily_unavailable", "policy.unavailable")

    def test_a_huge_answer_is_none(self, world: World, decisions: Decisions, hold: str) -> None:
        decisions.decide = decisions.huge
        assert outcome(exchange(world, hold)) == (503, "temporarily_unavailable")

    def test_a_redirect_is_not_followed(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        decisions.decide = decisions.redirect
        assert outcome(exchange(world, hold)) == (503, "temporarily_unavailable")

    def test_a_slow_one_costs_its_deadline(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        decisions.decide = decisions.wait
        began = time.monotonic()
        assert outcome(exchange(world, hold)) == (503, "temporarily_unavailable")
        assert DEADLINE <= time.monotonic() - began < DEADLINE + 2

    def test_the_token_of_whom_nobody_answers_is_inactive(
        self, world: World, decisions: Decisions, hold: str
    ) -> None:
        token = exchange(world, hold).json()["access_token"]
        decisions.decide = NONSENSE["an error"]  # type: ignore[assignment]
        assert world.api().introspect(token).json() == {"active": False}

    def test_a_failure_is_not_kept(self, world: World, decisions: Decisions, hold: str) -> None:
        decisions.decide = lambda _: answered({}, status=500, cache="max-age=60")
        assert exchange(world, hold).status_code == 503
        decisions.begin_again()
        assert exchange(world, hold).status_code == 200

    def test_where_nobody_listens_there_is_no_answer(self) -> None:
        nobody = Policy(
            engine="authzen", url="http://127.0.0.1:9/x", private_hosts=("127.0.0.1",), timeout=0.2
        )
        point = open_point(nobody)
        assert point is not None
        assert point.ask(a_question()).outcome == "unavailable"


def a_question() -> Asked:
    agent = AgentFacts("planner", "declared", "active", "ben", 0)
    return Asked("issue", agent, CALENDAR, frozenset({"calendar:read"}), ("planner",), 1)


class TestTheBulkhead:
    """So many are asked at one time: the rest wait for a place, within the same time."""

    def test_more_get_no_answer(self, decisions: Decisions) -> None:
        point = open_point(Policy(**asking_at(decisions, at_once=1, timeout=0.3)))
        assert point is not None
        decisions.decide = decisions.wait
        first: list[Any] = []
        one = threading.Thread(target=lambda: first.append(point.ask(a_question())))
        one.start()
        assert decisions.is_asked.wait(5)
        verdict = point.ask(a_question())
        one.join(5)
        assert verdict.outcome == "unavailable"
        assert len(decisions.asked) == 1 or verdict.policies != ("too many questions at once",)


def test_an_operator_who_looks_into_a_token_asks_too(
    world: World, decisions: Decisions, hold: str
) -> None:
    token = exchange(world, hold).json()["access_token"]
    inspect = ["token", "inspect", token]
    assert world.app.test_cli_runner().invoke(deputize, inspect).output.endswith("\nalive\n")
    decisions.decide = denied
    told = world.app.test_cli_runner().invoke(deputize, inspect)
    assert told.output.strip().endswith("Or a policy forbids it now.")
