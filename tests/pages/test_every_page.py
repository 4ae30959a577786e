"""What every page holds, in every state, on the real server: PAGES' "Held to".

With `UPDATE_SCREENSHOTS=1` the pictures in `docs/pages/` are made anew.
"""

import os
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from pages import states
from pages.house import House
from pages.looking import DESK, PHONE, TARGETS, Watched
from pages.states import HOSTILE, MARKING, STATES, Visit

PICTURES = Path(__file__).parents[2] / "docs" / "pages"
LARGEST = 120_000  # bytes
#: How each state that has a picture is shown in it.
SHOWN: dict[Callable[[Visit], None], tuple[int, str]] = {
    states.sign_in: (PHONE, "light"),
    states.sign_in_refused: (PHONE, "dark"),
    states.consent: (DESK, "light"),
    states.consent_with_details: (PHONE, "light"),
    states.consent_with_nothing_ticked: (PHONE, "dark"),
    states.consent_that_changed: (PHONE, "light"),
    states.unknown_way_back: (PHONE, "light"),
    states.no_agent: (PHONE, "light"),
    states.agents: (DESK, "light"),
    states.hostile_agents: (PHONE, "light"),
    states.stop_booker: (PHONE, "light"),
    states.agents_after_a_stop: (PHONE, "light"),
    states.says_that_it_is_done: (PHONE, "dark"),
    states.inbox_with_a_task_that_is_done: (PHONE, "light"),
    states.is_it_over: (PHONE, "light"),
    states.asks_for_more_time: (PHONE, "light"),
    states.my_word_is_asked_for_too: (PHONE, "light"),
    states.finished: (PHONE, "dark"),
    states.nothing_to_stop: (PHONE, "dark"),
    states.agents_while_one_asks: (PHONE, "light"),
    states.nothing_waits: (PHONE, "light"),
    states.inbox: (DESK, "light"),
    states.card_with_nothing_ticked: (PHONE, "dark"),
    states.amount_too_high: (PHONE, "light"),
    states.past_deciding: (PHONE, "light"),
    states.decided_too_late: (PHONE, "light"),
    states.my_decisions: (DESK, "light"),
    states.hostile_question: (PHONE, "light"),
    states.graph_of_nobody: (PHONE, "light"),
    states.graph: (DESK, "light"),
    states.graph_with_a_node_chosen: (DESK, "light"),
    states.graph_after_an_end: (PHONE, "dark"),
    states.graph_as_a_table: (PHONE, "light"),
    states.register: (DESK, "light"),
    states.register_of_what_is_unused: (PHONE, "light"),
    states.agent_page: (PHONE, "light"),
    states.suspend_agent: (PHONE, "dark"),
    states.none_of_yours: (PHONE, "light"),
    states.task_timeline: (DESK, "light"),
    states.no_passkey: (PHONE, "light"),
    states.adding_a_passkey: (PHONE, "light"),
    states.my_passkeys: (PHONE, "light"),
    states.removing_a_passkey: (PHONE, "dark"),
    states.card_that_takes_a_passkey: (PHONE, "light"),
    states.what_is_signed: (PHONE, "light"),
    states.code_that_was_set: (PHONE, "light"),
    states.no_browser: (PHONE, "light"),
    states.my_browsers: (PHONE, "dark"),
    states.browser_of_another_service: (PHONE, "light"),
    states.how_i_am_told: (DESK, "light"),
    states.quiet_hours: (PHONE, "light"),
    states.quiet_hours_of_no_zone: (PHONE, "dark"),
}
STRICT = re.compile(
    r"default-src 'none'; style-src 'self'; img-src 'self' data:; "
    r"(?=.*form-action 'self')(?=.*frame-ancestors 'none')(?=.*base-uri 'none')"
)


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Iterator[Page]:
    """Where people sit down one after the other: a window takes as long as coming to a state."""
    with new_window(chromium) as window:
        yield window.new_page()


@pytest.fixture(scope="module")
def shown(
    request: pytest.FixtureRequest, house: House, chromium: Browser, tab: Page
) -> Iterator[Watched]:
    """One page in one state, for all that is asked of it."""
    if request.param in MARKING:
        with new_window(chromium) as window:
            yield come_to(request.param, house, window.new_page())
        return
    tab.context.set_offline(False)
    tab.context.clear_cookies()
    tab.set_viewport_size({"width": DESK, "height": 720})
    tab.emulate_media(color_scheme="light")
    tab.goto("about:blank")
    watched = come_to(request.param, house, tab)
    yield watched
    watched.leave()


def new_window(chromium: Browser) -> BrowserContext:
    return chromium.new_context(reduced_motion="reduce")


def come_to(state: Callable[[Visit], None], house: House, page: Page) -> Watched:
    watched = Watched(page)
    state(Visit(house, page, house.ana()))
    page.context.set_offline(True)  # a live page stays as it is looked at
    return watched


@pytest.fixture(scope="module", autouse=True)
def hostile(house: House) -> None:
    words = (HOSTILE * 40)[:5000]
    house.register("hostile", origin="self", owner=None, name=words, purpose=words)


@pytest.mark.parametrize("shown", STATES, indirect=True, ids=lambda s: s.__name__, scope="module")
class TestEveryPage:
    def test_makes_no_request_to_elsewhere_and_no_complaint(
        self, shown: Watched, house: House
    ) -> None:
        assert not [url for url in shown.fetched if not url.startswith(f"{house.url}/")]
        assert shown.complaints() == []

    def test_has_a_strict_policy_and_nothing_inline(self, shown: Watched) -> None:
        assert shown.document is not None
        headers = shown.document.headers
        assert STRICT.match(headers["content-security-policy"])
        assert "unsafe" not in headers["content-security-policy"]
        # A script stands where a passkey signs, where a page is live, and where a browser is
        # subscribed, and nowhere else.
        scripts = shown.page.locator("script[src]").count()
        assert headers["content-security-policy"].count("; script-src 'self'") == scripts
        assert headers["content-security-policy"].count("script-src") == scripts
        assert headers["cache-control"] == "no-store"
        assert shown.inline() == []

    @pytest.mark.parametrize(
        ("width", "text_size"),
        [(PHONE, "100%"), (PHONE, "200%"), (DESK // 2, "100%"), (320, "100%")],
    )
    def test_never_scrolls_sideways(self, shown: Watched, width: int, text_size: str) -> None:
        assert shown.overflow(width, text_size) <= 0

    def test_has_targets_that_a_finger_hits(self, shown: Watched) -> None:
        assert shown.small_targets() == []

    def test_is_walked_from_top_to_bottom_with_the_focus_in_sight(self, shown: Watched) -> None:
        stops = shown.tab_stops()
        assert len(stops) == shown.page.locator(f"{TARGETS}, .skip").locator("visible=true").count()
        assert [stop["what"] for stop in stops if not stop["isSeen"]] == []
        body = [stop for stop in stops if 'class="skip"' not in str(stop["what"])]
        for before, after in pairwise(body):
            is_below = after["top"] >= before["bottom"] - 1
            is_beside = after["left"] > before["left"]
            assert is_below or is_beside, (before, after)

    # Layout goes by the width and contrast by the scheme: neither by the other.
    @pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (DESK, "light")])
    def test_has_nothing_that_axe_objects_to(self, shown: Watched, width: int, scheme: str) -> None:
        assert shown.unmet_by_axe(width, scheme) == ""


@pytest.mark.parametrize("shown", SHOWN, indirect=True, ids=lambda s: s.__name__, scope="module")
def test_has_its_picture(request: pytest.FixtureRequest, shown: Watched) -> None:
    state = request.node.callspec.params["shown"]
    picture = PICTURES / f"{state.__name__.replace('_', '-')}.png"
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        width, scheme = SHOWN[state]
        shown.page.set_viewport_size({"width": width, "height": 640})
        shown.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        shown.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        PICTURES.mkdir(exist_ok=True)
        shown.page.screenshot(path=picture, full_page=True)
    assert 0 < picture.stat().st_size < LARGEST


def test_there_is_no_picture_of_what_is_gone() -> None:
    known = {f"{state.__name__.replace('_', '-')}.png" for state in SHOWN}
    assert {picture.name for picture in PICTURES.glob("*.png")} == known
