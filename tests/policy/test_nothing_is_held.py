"""While a decision point is asked no lock is held and no transaction open, on either database."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deputize.host import Person
from policy.conftest import asking_at
from support.agents_http import outcome
from support.asking import Asking
from support.decisions import Decisions, Question, allowed
from support.world import CALENDAR, FLIGHTS, World, running_world


@pytest.fixture(scope="module")
def world(
    module_database_url: str, decisions: Decisions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    policy = asking_at(decisions, timeout=9)
    with running_world(module_database_url, folder, policy=policy) as running:
        yield running


@pytest.fixture
def hold(world: World, decisions: Decisions) -> str:
    hold = world.hold()
    decisions.begin_again()
    return hold


def exchange(world: World, hold: str, resource: str = CALENDAR) -> httpx.Response:
    return world.agent("planner").exchange(hold, resource=resource)


@contextmanager
def while_asked(
    decisions: Decisions, request: Callable[[], Any], about: str = FLIGHTS
) -> Iterator[list[Any]]:
    """Make a request that waits for the decision about `about`; yield what it gets, in the end."""

    def decide(question: Question) -> Any:
        waits = question["resource"]["id"] == about and not decisions.go_on.is_set()
        return decisions.wait(question) if waits else allowed(question)

    decisions.decide = decide
    got: list[Any] = []
    waiting = threading.Thread(target=lambda: got.append(request()))
    waiting.start()
    assert decisions.is_asked.wait(5)
    try:
        yield got
    finally:
        decisions.go_on.set()
        waiting.join(10)


def test_others_go_on(world: World, decisions: Decisions, hold: str) -> None:
    world.host.people["other"] = Person("other", "Other")
    other = world.hold("planner", "other")
    decisions.begin_again()
    with while_asked(decisions, lambda: exchange(world, hold, FLIGHTS)) as got:
        # The same person, chain and task, and somebody else's.
        assert exchange(world, hold).status_code == 200
        assert exchange(world, other).status_code == 200
        # What takes the agent's lock alone.
        world.edit("planner", purpose="Books other trips")
    assert [answer.status_code for answer in got] == [200]


def test_what_ends_meanwhile_gives_no_token(world: World, decisions: Decisions, hold: str) -> None:
    with while_asked(decisions, lambda: exchange(world, hold, FLIGHTS)) as got:
        assert world.agent("planner").revoke(hold).status_code == 200
    assert [outcome(answer) for answer in got] == [(400, "invalid_request")]
    assert world.events("token.refused")[-1]["rule"] == "delegation.ended"


def test_who_is_stopped_meanwhile_gets_none(world: World, decisions: Decisions) -> None:
    world.register("stopped")
    hold = world.hold("stopped")
    decisions.begin_again()
    ask = world.agent("stopped").exchange
    with while_asked(decisions, lambda: ask(hold, resource=FLIGHTS)) as got:
        world.stop("stopped")
    assert [outcome(answer) for answer in got] == [(401, "invalid_client")]


def test_the_assertion_is_used_up_before_anybody_is_asked(
    world: World, decisions: Decisions, hold: str
) -> None:
    planner = world.agent("planner")
    assertion = planner.client_assertion()

    def ask() -> httpx.Response:
        return planner.exchange(hold, resource=FLIGHTS, client_assertion=assertion)

    with while_asked(decisions, ask) as got:
        assert outcome(ask()) == (401, "invalid_client")
        assert len(decisions.asked) == 1
    assert [answer.status_code for answer in got] == [200]


def test_an_introspection_waits_alone(world: World, decisions: Decisions, hold: str) -> None:
    token = exchange(world, hold, FLIGHTS).json()["access_token"]
    decisions.begin_again()
    api = world.api("flights-api")
    with while_asked(decisions, lambda: api.introspect(token)) as got:
        assert exchange(world, hold).status_code == 200
        assert world.agent("planner").revoke(hold).status_code == 200
    # Asked about while it lived; by the time of the answer it did not.
    assert [answer.json() for answer in got] == [{"active": False}]


def test_a_code_is_redeemed_once(world: World, decisions: Decisions) -> None:
    issuer = world.context.issuer
    with while_asked(decisions, world.consent, about=issuer) as got:
        assert len(decisions.asked) == 1
    assert [answer.status_code for answer in got] == [200]
    assert len(decisions.asked) == 1


def test_a_yes_waits_alone(world: World, decisions: Decisions) -> None:
    world.host.people["hal"] = Person("hal", "Hal")
    asking = Asking(world, world.agent("planner"), world.hold("planner", "hal"), "hal")
    request = asking.asked()
    decisions.begin_again()
    with while_asked(decisions, asking.say_yes, about="https://pay.example") as got:
        assert outcome(asking.poll(request)) == (400, "authorization_pending")
        assert exchange(world, asking.hold).status_code == 200
    assert got == ["done"]
    world.pass_time(6)
    assert asking.poll(request).status_code == 200
