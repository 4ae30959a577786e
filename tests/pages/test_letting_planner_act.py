"""Ana follows planner's link: she reads, allows less or nothing, and planner holds exactly that.

Chromium holds `form-action` against the redirects that follow a form, so each of these ends
at planner's own callback or shows that it must not.
"""

import pytest
from playwright.sync_api import Browser, Page, expect

from idp.browser import PASSWORD
from pages.callback import Callback
from pages.hands import Hands
from pages.house import House
from pages.planner import Planner
from pages.states import AGENTS, Visit
from support.agents_http import decode, outcome

HOUR = 3600


@pytest.fixture
def planner(house: House, callback: Callback) -> Planner:
    return Planner(house, callback)


@pytest.fixture
def reading(hands: Hands, planner: Planner, ana: str) -> Hands:
    """Ana, at planner's consent page."""
    hands.page.goto(planner.link)
    sign_in(hands, ana)
    return hands


def sign_in(hands: Hands, username: str) -> None:
    expect(hands.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    hands.fill("User name", username)
    hands.fill("Password", PASSWORD)
    hands.press("Sign in")


def title(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_she_reads_who_what_where_how_long_and_to_whom(reading: Hands, callback: Callback) -> None:
    page = reading.page
    assert title(page) == "planner wants to act for you"
    said = " ".join((page.locator("main").text_content() or "").split())
    port = callback.url.split(":")[2].split("/")[0]
    for words in (
        "run by Ben Ode registered 24 Nov",
        "planner says “Book the Lisbon trip, 3–6 December”",
        "Read your calendar at calendar.example",
        "Search flights at flights.example",
        "Pay asks you each time at pay.example",
        "It may pass this on to booker run by Ben Ode Helpers that it starts",
        f"you go on to a program on this device (127.0.0.1:{port}).",
        "You can stop it at any time: Agents acting for me",
    ):
        assert words in said
    assert page.get_by_label("Until the task is done, but").input_value() == str(8 * HOUR)
    expect(page.locator("header")).to_contain_text("Example Bank")
    expect(page.locator("header")).to_contain_text("Ana Ruiz")


def test_she_allows_less_and_planner_holds_exactly_that(
    house: House, reading: Hands, planner: Planner, ana: str
) -> None:
    reading.untick("Add and change entries")
    reading.untick("booker")
    reading.choose("Until the task is done, but", "at most 1 hour")
    reading.press("Let planner act")

    assert reading.page.url.startswith(planner.callback.url)
    answer = planner.redeem()
    assert answer.status_code == 200, answer.text
    claims = decode(answer.json()["access_token"])[1]
    assert set(claims["scope"].split()) == {"calendar:read", "flights:search", "agents:spawn"}
    assert (claims["sub"], claims["act"]["sub"]) == (house.key_of(ana), "planner")
    token = answer.json()["access_token"]
    over = house.agent("planner").exchange(token, audience="booker", scope="flights:search")
    assert outcome(over) == (400, "invalid_target")
    refresh_token = answer.json()["refresh_token"]
    with house.later(HOUR - 60):
        refresh_token = planner.refresh(refresh_token).raise_for_status().json()["refresh_token"]
    with house.later(HOUR + 1):
        assert outcome(planner.refresh(refresh_token)) == (400, "invalid_grant")


def test_not_now_grants_nothing_and_tells_planner(
    house: House, reading: Hands, planner: Planner
) -> None:
    before = house.events()
    reading.press("Not now")
    assert reading.page.url.startswith(planner.callback.url)
    assert planner.answer() == {"error": "access_denied"}
    assert house.events() == before
    reading.page.goto(f"{house.url}{AGENTS}")
    expect(reading.page.locator("main")).to_contain_text("No agent acts for you right now.")


def test_with_nothing_ticked_she_is_asked_again(reading: Hands, planner: Planner) -> None:
    for words in ("Read your", "Add and change", "Search", "Start helpers"):
        reading.untick(words)
    reading.choose("Until the task is done, but", "at most 1 hour")
    reading.press("Let planner act")
    expect(reading.page.get_by_role("alert")).to_contain_text("Tick at least one line")
    expect(reading.page.locator("[name=scope]:checked")).to_have_count(0)
    expect(reading.page.get_by_label("Until the task is done, but")).to_have_value(str(HOUR))
    assert planner.callback.came == []


class TestMeanwhile:
    """Something happens between reading and pressing: nothing is granted."""

    def test_the_agent_was_edited(
        self, house: House, callback: Callback, hands: Hands, ana: str
    ) -> None:
        shifty = Planner(house, callback, f"shifty-of-{ana}")
        house.register(shifty.client_id, name="shifty", purpose="Book the Lisbon trip")
        hands.page.goto(shifty.link)
        sign_in(hands, ana)
        hands.untick("Search flights")
        house.edit(shifty.client_id, purpose="Book the Porto trip")
        before = house.events()
        hands.press("Let shifty act")

        expect(hands.page.get_by_role("alert")).to_contain_text("This changed while you were read")
        expect(hands.page.locator("blockquote")).to_have_text("“Book the Porto trip”")
        assert (callback.came, house.events()) == ([], before)
        hands.press("Let shifty act")
        claims = decode(shifty.redeem().json()["access_token"])[1]
        assert "flights:search" not in claims["scope"].split()

    def test_her_session_expired(
        self, house: House, reading: Hands, planner: Planner, ana: str
    ) -> None:
        with house.later(13 * HOUR):
            before = house.events()
            reading.press("Let planner act")
            assert (planner.callback.came, house.events()) == ([], before)
            sign_in(reading, ana)
            assert (planner.callback.came, house.events()) == ([], before)
            assert title(reading.page) == "planner wants to act for you"
            reading.press("Let planner act")
            assert planner.redeem().status_code == 200

    def test_somebody_else_signed_in(self, house: House, reading: Hands, planner: Planner) -> None:
        other_tab = type(reading)(reading.page.context.new_page())
        other_tab.page.goto(f"{house.url}/sign-in")
        sign_in(other_tab, "ben")
        before = house.events()
        reading.press("Let planner act")
        expect(reading.page.get_by_role("alert")).to_contain_text("Your session changed")
        expect(reading.page.locator("header")).to_contain_text("Ben Ode")
        assert (planner.callback.came, house.events()) == ([], before)


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("client_id=planner", "client_id=nobody"),
        ("redirect_uri=http%3A%2F%2F127.0.0.1", "redirect_uri=http%3A%2F%2Fevil.example"),
        ("%2Fcallback", "%2Fcallback%2Felsewhere"),
    ],
)
def test_a_link_that_is_not_sound_leads_nowhere(
    chromium: Browser, house: House, planner: Planner, ana: str, changed: str, to: str
) -> None:
    link = planner.link.replace(changed, to)
    assert link != planner.link
    with chromium.new_context() as context:
        visit = Visit(house, context.new_page(), ana)
        _leads_nowhere(visit.page, link)
        visit.go("/sign-in")
        visit.sign_in()
        _leads_nowhere(visit.page, link)
    assert planner.callback.came == []


def _leads_nowhere(page: Page, link: str) -> None:
    answer = page.goto(link)
    assert answer is not None
    assert (answer.status, page.url) == (400, link)
    expect(page.locator("main")).to_contain_text("Nothing was granted.")
