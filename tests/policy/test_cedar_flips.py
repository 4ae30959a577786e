"""What was allowed a moment ago is judged again: at 18:00 the policy says otherwise."""

from dataclasses import dataclass
from typing import Any

import pytest

from deputize.host import Person
from support.agents_http import outcome
from support.asking import Asking
from support.world import CALENDAR, FLIGHTS, PAY, World


@pytest.fixture(scope="module")
def policies() -> str:
    return """
        @id("office-hours")
        forbid (principal, action, resource == Resource::"https://calendar.example")
        when { context.time.hour >= 18 };

        @id("no-refresh-at-night")
        forbid (principal, action, resource)
        when { context has grant_type && context.grant_type == "refresh_token" }
        when { context.time.hour >= 18 };

        @id("no-payment-at-night")
        forbid (principal, action, resource == Resource::"https://pay.example")
        when { context.time.hour >= 18 };
    """


@dataclass
class Evening:
    """What was had before 18:00; now it is later."""

    world: World
    hold: str
    token: str
    own: str
    refresh_token: str
    asking: Asking
    approved: str
    waiting: Asking


@pytest.fixture(scope="module")
def evening(world: World) -> Evening:
    planner, hold = world.agent("planner"), world.hold()
    token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
    own = planner.post("token_endpoint", grant_type="client_credentials", resource=CALENDAR)
    assert world.is_active(token)
    assert world.is_active(own.json()["access_token"])
    world.host.people["dan"] = Person("dan", "Dan")
    world.host.people["gil"] = Person("gil", "Gil")
    asking = Asking(world, planner, world.hold("planner", "dan"), "dan")
    approved = asking.asked()
    assert asking.say_yes() == "done"
    waiting = Asking(world, planner, world.hold("planner", "gil"), "gil")
    waiting.asked()
    refresh_token = world.consent().json()["refresh_token"]
    world.pass_time(150)
    return Evening(
        world, hold, token, own.json()["access_token"], refresh_token, asking, approved, waiting
    )


def test_the_same_exchange_is_refused(evening: Evening) -> None:
    ask = evening.world.agent("planner").exchange
    refusal = evening.world.refused(ask, evening.hold, resource=CALENDAR)
    assert refusal == (400, "invalid_request", "policy.denied")


def test_elsewhere_it_still_passes(evening: Evening) -> None:
    answer = evening.world.agent("planner").exchange(evening.hold, resource=FLIGHTS)
    assert answer.status_code == 200, answer.text


def test_a_token_that_was_given_is_inactive(evening: Evening) -> None:
    answer = evening.world.api().introspect(evening.token)
    assert answer.json() == {"active": False}


def test_so_is_one_of_the_agents_own(evening: Evening) -> None:
    assert evening.world.api().introspect(evening.own).json() == {"active": False}


def test_the_refusal_of_an_introspection_is_counted(evening: Evening) -> None:
    before = evening.world.context.tally.counts()["policy.denied"]
    evening.world.is_active(evening.token)
    assert evening.world.context.tally.counts()["policy.denied"] == before + 1


def test_a_refresh_is_an_invalid_grant_and_the_token_is_kept(evening: Evening) -> None:
    world = evening.world

    def refresh() -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": evening.refresh_token}
        return world.agent("planner").post("token_endpoint", **form)

    assert world.refused(refresh) == (400, "invalid_grant", "policy.denied")
    assert world.refused(refresh) == (400, "invalid_grant", "policy.denied")


def test_what_was_approved_is_not_to_be_had(evening: Evening) -> None:
    assert outcome(evening.asking.poll(evening.approved)) == (400, "access_denied")


def test_what_still_waits_cannot_be_approved(evening: Evening) -> None:
    assert evening.waiting.say_yes() == "forbidden"


def test_nobody_is_asked_for_it_any_more(evening: Evening) -> None:
    assert evening.waiting.ask(scope="openid pay:transfer", resource=PAY).status_code == 403
