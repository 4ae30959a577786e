"""The whole story: Ana deputizes planner for a trip, planner hands flights to booker, booker
starts a fare-scout; each reaches its API for her, until she ends it.

Played with the libraries that an agent and an API import, on each database.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from secrets import token_hex

import httpx
import pytest

from deputize.client import AgentClient, OAuthError, Token
from deputize.resource import Access, Introspector
from support.world import (
    CALENDAR,
    CALLBACK,
    FLIGHTS,
    PAY,
    SECRET,
    World,
    read_form,
    running_world,
)

SCOPE = "calendar:read flights:search flights:hold agents:spawn"


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(module_database_url, tmp_path_factory.mktemp("world")) as world:
        yield world


@dataclass
class Trip:
    """What each agent holds once the story has been played to its third agent."""

    world: World
    mallory: AgentClient
    hold: Token
    calendar: Token
    given: Token
    booker: Token
    flights: Token
    fare_scout: AgentClient
    scout: Token

    def access(self, token: Token) -> Access | None:
        """Ask as the API that the token is for does at each call."""
        api = {CALENDAR: "calendar-api", PAY: "pay-api"}.get(token.audience or "", "flights-api")
        introspector = Introspector(self.world.url, api, SECRET)
        try:
            return introspector.check(token.value, token.audience or "")
        finally:
            introspector.close()

    def rule(self, agent: str, attempt: Callable[[], object]) -> str:
        """Return the rule by which the audit trail says that `attempt` was refused."""
        before = {event["id"] for event in self.world.events("token.refused")}
        with pytest.raises(OAuthError):
            attempt()
        new = [e for e in self.world.events("token.refused") if e["id"] not in before]
        (refusal,) = new
        assert refusal["agent"] == agent
        return str(refusal["rule"])


@pytest.fixture
def trip(world: World) -> Iterator[Trip]:
    planner, booker, mallory = (
        AgentClient.discover(world.url, name, key=world.keys[name])
        for name in ("planner", "booker", "mallory")
    )
    url, asked = planner.authorization_url(CALLBACK, scope=SCOPE, resource=[CALENDAR, FLIGHTS, PAY])
    hold = planner.redeem(asked.code_in(say_yes(world, url)), asked)
    given = hold.hand_over("booker", "flights:search flights:hold agents:spawn")
    held = booker.take(given.value)
    fare_scout = held.spawn(scope="flights:search", purpose="Compare fares")
    handed_on = held.hand_over(fare_scout.client_id, "flights:search")
    yield Trip(
        world=world,
        mallory=mallory,
        hold=hold,
        calendar=hold.narrow(CALENDAR),
        given=given,
        booker=held,
        flights=held.narrow(FLIGHTS),
        fare_scout=fare_scout,
        scout=fare_scout.take(handed_on.value, FLIGHTS),
    )
    for agent in (planner, booker, mallory):
        agent.close()


def say_yes(world: World, url: str) -> str:
    """Ana lets planner act, on the real page; return where her browser goes then."""
    ana = world.browser("ana")
    form = read_form(ana.get(url).text) | {"decision": ["allow"]}
    return str(ana.post(form.pop("action")[0], data=form).headers["Location"])


def approve(world: World, message: str) -> None:
    """Ana says yes to the card on which an agent says `message`, on the real page."""
    ana, inbox = world.browser("ana"), world.metadata["approvals_page"]
    cards = re.findall(r'<form class="card deciding".*?</form>', ana.get(inbox).text, re.DOTALL)
    (card,) = [card for card in cards if message in card]
    form = read_form(card) | {"decision": ["approve"]}
    assert ana.post(form.pop("action")[0], data=form).status_code == 303


def pay(trip: Trip) -> Token:
    """Booker asks Ana to pay, and she lets it."""
    message = f"TP1234, EUR 420, {token_hex(4)}"
    question = trip.booker.put_question("pay:transfer", PAY, message=message)
    approve(trip.world, message)
    token = question.poll()
    assert token is not None
    return token


def stop(world: World, hold: Token) -> httpx.Response:
    """Ana stops who holds `hold` on her page; return the page as it is then."""
    ana, agents_page = world.browser("ana"), world.metadata["agents_page"]
    link = re.search(
        rf'href="([^"]+/{hold.claims["delegation_id"]}/end)"', ana.get(agents_page).text
    )
    assert link is not None
    form = read_form(ana.get(link[1]).text)
    ana.post(form.pop("action")[0], data=form)
    return ana.get(agents_page)


def test_planner_reads_the_calendar_for_ana(trip: Trip) -> None:
    assert str(trip.access(trip.calendar)) == "planner acts for ana"


def test_booker_searches_flights_for_ana_through_planner(trip: Trip) -> None:
    access = trip.access(trip.flights)
    assert str(access) == "booker acts for ana through planner"
    assert access is not None
    assert access.scope == {"flights:search", "flights:hold"}


def test_booker_has_nothing_of_the_calendar(trip: Trip) -> None:
    assert trip.rule("booker", lambda: trip.booker.narrow(CALENDAR)) == "scope.empty"


def test_the_fare_scout_searches_at_depth_three(trip: Trip) -> None:
    scout = trip.fare_scout.client_id
    assert trip.scout.chain() == (scout, "booker", "planner")
    assert str(trip.access(trip.scout)) == f"{scout} acts for ana through planner and booker"


def test_the_fare_scout_may_not_hold_a_seat(trip: Trip) -> None:
    access = trip.access(trip.scout)
    assert access is not None
    assert not access.allows("flights:hold")


def test_authority_only_narrows_on_the_way_down(trip: Trip) -> None:
    assert trip.scout.scope < trip.flights.scope < trip.hold.scope
    ends = [token.claims["exp"] for token in (trip.hold, trip.flights, trip.scout)]
    assert max(ends) - min(ends) < 60


def test_booker_pays_once_ana_has_said_yes(trip: Trip) -> None:
    access = trip.access(pay(trip))
    assert str(access) == "booker acts for ana through planner"
    assert access is not None
    assert access.scope == {"pay:transfer"}


def test_what_ana_approved_is_for_booker_alone(trip: Trip) -> None:
    paying = pay(trip)
    for other in (trip.fare_scout, trip.hold.agent, trip.mallory):
        rule = trip.rule(other.client_id, lambda agent=other: agent.take(paying.value))
        assert rule == "subject.not_the_actor"
    handing_on = partial(paying.hand_over, trip.fare_scout.client_id, "pay:transfer")
    assert trip.rule("booker", handing_on) == "scope.elevated"
    assert trip.rule("booker", lambda: trip.booker.narrow(PAY, "pay:transfer")) == (
        "scope.needs_approval"
    )


def test_booker_cannot_say_yes_for_itself(trip: Trip) -> None:
    question = trip.booker.put_question("pay:transfer", PAY)
    (opened,) = trip.world.events("approval.opened")[-1:]
    card = f"{trip.world.metadata['approvals_page']}/{opened['facts']['approval_id']}"
    bearer = {"Authorization": f"Bearer {trip.booker.value}"}
    form = {"decision": "approve", "scope": "pay:transfer"}
    answer = httpx.post(card, data=form, headers=bearer, trust_env=False)
    assert "/sign-in" in answer.headers["Location"]
    assert question.poll() is None


def test_mallory_gains_nothing_from_what_she_overhears(trip: Trip) -> None:
    mallory = trip.mallory
    assert trip.rule("mallory", lambda: mallory.take(trip.given.value)) == "subject.may_act"
    for overheard in (trip.hold, trip.calendar, trip.flights, trip.scout):
        rule = trip.rule("mallory", lambda token=overheard: mallory.take(token.value))
        assert rule == "subject.not_the_actor"
        assert mallory.introspect(overheard.value) == {"active": False}


def test_what_is_for_an_exchange_opens_no_api(trip: Trip) -> None:
    api = Introspector(trip.world.url, "flights-api", SECRET)
    for overheard in (trip.hold, trip.given, trip.booker, trip.calendar):
        assert api.check(overheard.value, FLIGHTS) is None
    api.close()


def test_when_ana_stops_planner_every_token_below_is_refused_at_the_next_call(trip: Trip) -> None:
    tokens = (trip.calendar, trip.flights, trip.scout, pay(trip))
    assert all(trip.access(token) for token in tokens)
    stop(trip.world, trip.hold)
    assert not any(trip.access(token) for token in tokens)


def test_when_ana_has_stopped_planner_nothing_grows_again(trip: Trip) -> None:
    stop(trip.world, trip.hold)
    assert trip.rule("planner", trip.hold.renew) == "delegation.ended"
    assert trip.rule("planner", trip.hold.refresh) == "delegation.ended"
    assert trip.rule("booker", trip.booker.renew) == "delegation.ended"
    assert trip.rule(trip.fare_scout.client_id, trip.scout.renew) == "client.not_active"


def test_stopping_booker_leaves_planner_at_work(trip: Trip) -> None:
    page = stop(trip.world, trip.booker)
    assert "planner" in page.text
    assert trip.access(trip.calendar) is not None
    assert trip.access(trip.flights) is None
    assert trip.access(trip.scout) is None
