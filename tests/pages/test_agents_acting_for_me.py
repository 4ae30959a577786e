"""Ana sees who acts for her, through whom, and stops it; what she stops is over at once."""

import re
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from idp.browser import PASSWORD, forms
from pages.hands import Hands
from pages.house import House
from pages.states import AGENTS
from support.agents_http import decode
from support.world import CALENDAR, FLIGHTS

HOUR = 3600


@dataclass
class Trip:
    """Planner acts for Ana, booker through it, and a helper that booker started."""

    house: House
    helper: str
    holds: dict[str, str]
    at_apis: dict[str, str]

    def live(self) -> set[str]:
        """Return whose token its API still takes."""
        apis = {CALENDAR: "calendar-api", FLIGHTS: "flights-api"}
        return {
            agent
            for agent, token in self.at_apis.items()
            if self.house.is_active(token, apis[decode(token)[1]["aud"]])
        }

    def delegation_of(self, agent: str) -> str:
        return str(decode(self.holds[agent])[1]["delegation_id"])


@pytest.fixture
def trip(house: House, ana: str) -> Trip:
    planner = house.hold(person=ana)
    booker = house.hand_over(planner, "planner", "booker", "flights:search agents:spawn")
    helper = house.spawn("booker", booker, "flights:search")
    holds = {
        "planner": planner,
        "booker": booker,
        helper: house.hand_over(booker, "booker", helper, "flights:search"),
    }
    at_apis = {
        agent: house.agent(agent).exchange(token, resource=resource).json()["access_token"]
        for (agent, token), resource in zip(
            holds.items(), (CALENDAR, FLIGHTS, FLIGHTS), strict=True
        )
    }
    return Trip(house, helper, holds, at_apis)


def sign_in(hands: Hands, username: str) -> None:
    hands.fill("User name", username)
    hands.fill("Password", PASSWORD)
    hands.press("Sign in")


def look(hands: Hands, house: House, username: str) -> Page:
    """Go to "Agents acting for me"; the host asks to sign in on the way."""
    hands.page.goto(f"{house.url}{AGENTS}")
    sign_in(hands, username)
    assert hands.page.url == f"{house.url}{AGENTS}"
    return hands.page


@pytest.fixture
def page(hands: Hands, trip: Trip, ana: str) -> Page:
    """What Ana sees when all three act for her."""
    return look(hands, trip.house, ana)


def told(page: Page) -> list[tuple[str, str]]:
    """Return each chain and its state, as they stand on the page from top to bottom."""
    return [
        (
            " → ".join(node.locator(".chain li").all_text_contents()),
            node.locator(".state").inner_text().split()[-1],
        )
        for node in page.locator(".node").all()
        if node.is_visible()
    ]


def words(page: Page) -> str:
    return " ".join((page.locator("main").text_content() or "").split())


def test_shows_who_acts_through_whom_for_what_and_until_when(page: Page, trip: Trip) -> None:
    name = page.locator("h3").nth(2).inner_text()
    assert name == f"booker · helper {trip.helper.removeprefix('booker.')[:4]}"
    assert told(page) == [
        ("You → planner", "active"),
        ("You → planner → booker", "active"),
        (f"You → planner → booker → {name}", "active"),
    ]
    said = words(page)
    assert "planner says “Book the Lisbon trip, 3–6 December”" in said
    assert "Read your calendar at calendar.example" in said
    assert re.search(r"until 17:2\d UTC \(24 November 2026, 17:2\d UTC\)", said)
    assert "last seen just now" in said


def test_stopping_booker_ends_what_hangs_on_it_and_leaves_planner_at_work(
    hands: Hands, page: Page, trip: Trip
) -> None:
    name = page.locator("h3").nth(2).inner_text()
    assert trip.live() == {"planner", "booker", trip.helper}
    hands.follow("Stop booker")
    assert trip.live() == {"planner", "booker", trip.helper}
    assert f"This stops booker and 1 helper. {name}" in words(page)
    assert "planner could pass this on to it again. To prevent that, stop planner." in words(page)
    hands.press("Stop booker")

    assert trip.live() == {"planner"}
    assert told(page) == [
        ("You → planner", "active"),
        ("You → planner → booker (ended)", "ended"),
        (f"You → planner → booker (ended) → {name} (ended)", "ended"),
    ]
    assert words(page).count("stopped by you just now") == 2
    expect(page.get_by_role("link", name=re.compile("Stop"))).to_have_text("Stop planner")


def test_keep_it_stops_nothing(hands: Hands, page: Page, trip: Trip) -> None:
    hands.follow("Stop planner")
    assert "This stops planner and 2 helpers." in words(page)
    hands.follow("Keep it")
    assert trip.live() == {"planner", "booker", trip.helper}
    assert [state for _, state in told(page)] == ["active"] * 3


def test_stopping_planner_ends_the_task_which_folds_away(
    hands: Hands, page: Page, trip: Trip
) -> None:
    hands.follow("Stop planner")
    assert "It can act for you again only if you let it." in words(page)
    hands.press("Stop planner")
    assert trip.live() == set()
    assert "No agent acts for you right now." in words(page)
    assert told(page) == []
    hands.open("A task of planner")
    assert [state for _, state in told(page)] == ["ended"] * 3
    assert words(page).count("stopped by you just now") == 1 + 3
    expect(page.get_by_role("link", name=re.compile("Stop"))).to_have_count(0)


def test_what_the_time_has_ended_is_shown_ended(hands: Hands, page: Page, trip: Trip) -> None:
    planner = trip.delegation_of("planner")
    with trip.house.later(9 * HOUR):
        page.reload()
        assert "No agent acts for you right now." in words(page)
        hands.open("A task of planner")
        assert [state for _, state in told(page)] == ["ended"] * 3
        assert "stopped by you" not in words(page)
        answer = page.goto(f"{trip.house.url}{AGENTS}/{planner}/end")
        assert answer is not None
        assert answer.status == 404


def test_whose_session_expired_signs_in_and_is_asked_again(
    hands: Hands, page: Page, trip: Trip, ana: str
) -> None:
    house = trip.house
    week = house.hold(person=ana, until=7 * 24 * HOUR)
    with house.later(13 * HOUR):
        page.goto(f"{house.url}{AGENTS}/{decode(week)[1]['delegation_id']}/end")
        sign_in(hands, ana)
        with house.later(13 * HOUR):
            hands.press("Stop planner")
            sign_in(hands, ana)
            assert page.get_by_role("heading", level=1).inner_text() == "Stop planner?"
            hands.press("Stop planner")
            assert "stopped by you just now" in words(page)


def test_nobody_sees_or_stops_what_acts_for_somebody_else(
    hands: Hands, house: House, trip: Trip
) -> None:
    other = house.ana()
    page = look(hands, house, other)
    assert words(page) == (
        "Agents acting for you What agents ask you No agent acts for you right now."
        " When you let one, you will see here what it may do and until when, and you can stop it."
        " Your code for agents that ask you"
    )
    theirs = f"{house.url}{AGENTS}/{trip.delegation_of('booker')}/end"
    answer = page.goto(theirs)
    assert answer is not None
    assert answer.status == 404
    assert "There is nothing to stop here" in words(page)

    house.hold(person=other)
    with closing(house.browser(other)) as visitor:
        (own,) = re.findall(rf"{AGENTS}/\S+/end", visitor.get(AGENTS).text)
        sent = forms(visitor.get(own))[0].fields
        assert visitor.post(theirs, data=sent).status_code == 404
    assert trip.live() == {"planner", "booker", trip.helper}
