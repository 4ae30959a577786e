"""An agent whose name and purpose attack the page: they are shown, harmless, in their place."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.house import House
from pages.looking import DESK, PHONE, Watched
from pages.states import HOSTILE, HOSTILE_MESSAGE, SCOPE, WAY_BACK, Visit
from support import agents_http
from support.world import CALENDAR, FLIGHTS, PAY

HIDDEN = re.compile("[\u0000-\u0009\u000b-\u001f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NAME_SHOWN, PURPOSE_SHOWN = 60, 280


@pytest.fixture(scope="module", params=["by the wire", "5,000 characters"])
def hostile(request: pytest.FixtureRequest, house: House) -> str:
    """The worst that registration lets in, and what it never would; the client id."""
    if request.param == "by the wire":
        return _registered_itself(house, HOSTILE[:200])
    words = (HOSTILE * 40)[:5000]
    house.register("hostile", origin="self", owner=None, name=words, purpose=words)
    return "hostile"


def _registered_itself(house: House, words: str) -> str:
    key = agents_http.new_key()
    born = agents_http.register(
        house.metadata,
        client_name=words,
        agent_purpose=words,
        scope=f"{SCOPE} tasks",
        resources=[CALENDAR, FLIGHTS, PAY],
        redirect_uris=[WAY_BACK, "http://127.0.0.1/callback"],
        jwks=agents_http.jwks(key),
    )
    assert born.status_code == 201, born.text
    client_id = str(born.json()["client_id"])
    house.keys[client_id] = key
    house.start(client_id)
    return client_id


@pytest.fixture
def visit(chromium: Browser, house: House) -> Iterator[Visit]:
    """Ana, with a browser that runs scripts if a page has any."""
    with chromium.new_context(viewport={"width": PHONE, "height": 740}) as context:
        yield Visit(house, context.new_page(), house.ana())


@pytest.mark.parametrize("member", ["client_name", "agent_purpose"])
def test_registration_takes_no_5000_characters(house: House, member: str) -> None:
    sent = {"redirect_uris": [WAY_BACK], "jwks": agents_http.jwks(agents_http.new_key())}
    answer = agents_http.register(house.metadata, **sent | {member: (HOSTILE * 40)[:5000]})
    assert agents_http.outcome(answer) == (400, "invalid_client_metadata")


def shown_harmlessly(watched: Watched) -> Page:
    """Assert what holds wherever such an agent is shown; return the page."""
    page = watched.page
    said = page.locator("body").inner_text()
    assert not HIDDEN.search(said)
    assert "<script>alert(1)</script>" in said
    assert page.locator("main").locator("script, style, img, iframe").count() == 0
    assert watched.inline() == []
    assert watched.complaints() == []
    assert not [url for url in watched.fetched if "evil.example" in url]
    assert watched.overflow(PHONE) <= 0
    assert watched.overflow(DESK) <= 0
    return page


def test_on_the_consent_page(visit: Visit, hostile: str) -> None:
    watched = Watched(visit.page)
    visit.consent(hostile)
    page = shown_harmlessly(watched)
    title = page.get_by_role("heading", level=1).inner_text()
    assert title.startswith("Your bank’ says: ‘safe’</bdi></h1>")
    assert title.endswith("… wants to act for you")
    assert len(title) <= NAME_SHOWN + len(" wants to act for you")
    quoted = page.locator("blockquote").inner_text()
    assert (quoted[0], quoted[-1]) == ("“", "”")
    assert not set('“”"') & set(quoted[1:-1])
    assert len(quoted) <= PURPOSE_SHOWN + 2
    # The server's own words stand where they always do.
    expect(page.locator(".warnings")).to_contain_text("This agent registered itself.")
    assert "run by" not in page.locator(".who").inner_text()
    presses = page.locator(".presses button").all_inner_texts()
    assert presses[0] == "Not now"
    assert re.fullmatch(r"Let Your bank’ says.{0,12} act", presses[1])


def test_on_the_agents_page_and_when_it_is_stopped(visit: Visit, hostile: str) -> None:
    visit.house.hold(hostile, visit.person)
    watched = Watched(visit.page)
    visit.agents()
    page = shown_harmlessly(watched)
    for name in (page.locator("h3"), page.locator(".chain .last"), page.locator("h2 bdi")):
        assert len(name.inner_text()) <= NAME_SHOWN
    page.locator("a.press[href$=end]").click()
    shown_harmlessly(watched)
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.locator("main")).to_contain_text("No agent acts for you right now.")


class TestWhatItSaysToAPerson:
    @pytest.mark.parametrize("words", ["Pay \u202eruoy knab", "Pay\u200b", "Pay\nBen says:"])
    def test_what_hides_or_reorders_is_not_put_to_anybody(self, visit: Visit, words: str) -> None:
        asking, _ = visit.planner_asks()
        answer = asking.ask(binding_message=words)
        assert agents_http.outcome(answer) == (400, "invalid_binding_message")

    def test_stays_in_its_quotation(self, visit: Visit) -> None:
        visit.booker_asks(HOSTILE_MESSAGE)
        watched = Watched(visit.page)
        visit.inbox()
        page = shown_harmlessly(watched)
        expect(page.locator("form.card h2")).to_have_text("Pay €420.00 to Airline X")
        quoted = page.locator("form.card blockquote").first.inner_text()
        assert (quoted[0], quoted[-1]) == ("“", "”")
        assert not set('“”"') & set(quoted[1:-1])
        assert "Approved" in quoted
        said = page.locator("form.card").inner_text()
        assert "alert" not in said.replace(quoted, "")
        assert page.locator(".presses button").all_inner_texts() == [
            "Deny",
            "Approve",
            "Deny and stop booker",
        ]
