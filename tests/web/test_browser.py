"""The pages in a browser: readable by all, on phone and desk, and hard to press by mistake."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from deputize.web.shell import Brand
from support.serving import serving
from web.samples import PAGES, make_app

PHONE, DESK = 360, 1280
AT_FIRST: ViewportSize = {"width": DESK, "height": 900}
NOTE_THE_DECISION = """() => document.forms[0].addEventListener("submit", event => {
    event.preventDefault()
    window.decided = event.submitter.value
})"""
TARGETS = "a:not(.skip), button, select, label:has(input), summary"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(lambda _: make_app(Brand("Example Bank"))) as base:
        yield base


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(viewport=AT_FIRST) as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("template", PAGES)
class TestEveryPage:
    @pytest.fixture
    def page(self, tab: Page) -> Page:
        """One window for all of these, which only look: each of its own would take as long."""
        tab.set_viewport_size(AT_FIRST)
        tab.emulate_media(color_scheme="light")
        return tab

    @pytest.mark.parametrize("width", [PHONE, DESK])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_has_nothing_that_axe_objects_to(
        self, page: Page, url: str, template: str, width: int, scheme: str
    ) -> None:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{url}/page/{template}")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()

    @pytest.mark.parametrize("text_size", ["100%", "200%"])
    def test_never_scrolls_sideways_on_a_phone(
        self, page: Page, url: str, template: str, text_size: str
    ) -> None:
        page.set_viewport_size({"width": PHONE, "height": 800})
        page.goto(f"{url}/page/{template}")
        page.evaluate("size => { document.documentElement.style.fontSize = size }", text_size)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE

    def test_has_targets_that_a_finger_hits(self, page: Page, url: str, template: str) -> None:
        page.set_viewport_size({"width": PHONE, "height": 800})
        page.goto(f"{url}/page/{template}")
        boxes = [
            target.bounding_box() for target in page.locator(TARGETS).locator("visible=true").all()
        ]
        assert all(min(box["width"], box["height"]) >= 44 for box in boxes if box)

    def test_obeys_its_own_policy(self, page: Page, url: str, template: str) -> None:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{url}/page/{template}")
        assert not [text for text in said if "Content Security Policy" in text]


class TestConsentPresses:
    """Double clickjacking: the second click of two lands on a page that was uncovered between."""

    @pytest.fixture(autouse=True)
    def consent(self, page: Page, url: str) -> None:
        page.goto(f"{url}/page/consent.html")
        page.evaluate(NOTE_THE_DECISION)

    def test_a_click_as_soon_as_the_pointer_arrives_allows_nothing(self, page: Page) -> None:
        _click(page, "[value=allow]")
        assert _decided(page) is None

    def test_a_click_a_moment_later_allows(self, page: Page) -> None:
        page.click("[value=allow]")  # Playwright waits until the press takes clicks
        assert _decided(page) == "allow"

    def test_denying_never_waits(self, page: Page) -> None:
        _click(page, "[value=deny]")
        assert _decided(page) == "deny"

    def test_the_keyboard_never_waits(self, page: Page) -> None:
        page.focus("[value=allow]")
        page.keyboard.press("Enter")
        assert _decided(page) == "allow"

    def test_enter_in_a_box_denies(self, page: Page) -> None:
        page.focus("[name=scope]")
        page.keyboard.press("Enter")
        assert _decided(page) == "deny"


def _decided(page: Page) -> str | None:
    decided: str | None = page.evaluate("window.decided ?? null")
    return decided


def _click(page: Page, selector: str) -> None:
    """Come with the pointer and click at once, as nothing but a double click does."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.up()
