"""What every page is held to, as a browser measures it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, Response

PHONE, DESK = 360, 1280
TARGET = 44
TARGETS = "a:not(.skip), button, select, input:not([type=hidden]), summary, [tabindex='0']"
#: A line of text too small for a finger is hit through the label around it.
HIT = """all => all.filter(it => it.checkVisibility()).map(it => {
    const box = (it.closest('label') || it).getBoundingClientRect()
    return [it.outerHTML.slice(0, 80), Math.min(box.width, box.height)]
})"""
FOCUSED = """() => {
    const it = document.activeElement, box = it.getBoundingClientRect()
    const style = getComputedStyle(it)
    // A drawing scrolls within its frame: where it stands is told as if it did not.
    const scrolled = it.closest('.canvas')?.scrollLeft ?? 0
    return it === document.body ? null : {
        what: it.outerHTML.slice(0, 80),
        top: box.top + scrollY, bottom: box.bottom + scrollY, left: box.left + scrolled,
        isSeen: it.matches(':focus-visible') && style.outlineStyle === 'solid'
            && parseFloat(style.outlineWidth) >= 2
            && box.top >= 0 && box.bottom <= innerHeight + 1,
    }
}"""
FROM_THE_TOP = """() => {
    scrollTo(0, 0)
    document.body.tabIndex = -1
    document.body.focus()
    document.body.removeAttribute('tabindex')
}"""
INLINE = """() => [...document.querySelectorAll('*')].filter(it =>
    it.matches('script:not([src]), style, iframe, object, embed, [style]:not([style=""])')
    || [...it.attributes].some(one => one.name.startsWith('on'))
).map(it => it.outerHTML)"""


@dataclass
class Watched:
    """A page, and all that its browser said and fetched since."""

    page: Page
    fetched: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    document: Response | None = None

    def __post_init__(self) -> None:
        self._heard: dict[Any, Callable[[Any], None]] = {
            "request": lambda request: self.fetched.append(request.url),
            "console": lambda message: self.said.append(message.text),
            "pageerror": lambda error: self.said.append(error.message),
            "dialog": lambda dialog: self.said.append(dialog.message),
            "response": self._keep,
        }
        for event, hear in self._heard.items():
            self.page.on(event, hear)

    def leave(self) -> None:
        """Hear no more of what the page does."""
        for event, hear in self._heard.items():
            self.page.remove_listener(event, hear)

    def _keep(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.document = response

    def complaints(self) -> list[str]:
        """Return what the console said, but that the page itself came with a 4xx."""
        return [said for said in self.said if not said.startswith("Failed to load resource")]

    def unmet_by_axe(self, width: int, scheme: str) -> str:
        """Return axe's report; empty when it objects to nothing.

        The scheme changes colours alone, so in the dark only they are looked at again.
        """
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        options = {"resultTypes": ["violations"]}
        if scheme == "dark":
            options["runOnly"] = ["color-contrast"]
        result = AxeResults(self.page.evaluate("options => axe.run(options)", options))
        return result.generate_report() if result.violations_count else ""

    def overflow(self, width: int, text_size: str = "100%") -> int:
        """Return by how many pixels the page is wider than the window."""
        self.page.set_viewport_size({"width": width, "height": 740})
        self.page.evaluate("size => { document.documentElement.style.fontSize = size }", text_size)
        wide = int(self.page.evaluate("document.documentElement.scrollWidth"))
        self.page.evaluate("document.documentElement.removeAttribute('style')")
        return wide - width

    def small_targets(self) -> list[tuple[str, float]]:
        """Return what can be pressed and is under 44 px on a phone."""
        self.page.set_viewport_size({"width": PHONE, "height": 740})
        sizes = self.page.locator(TARGETS).evaluate_all(HIT)
        return [(what, size) for what, size in sizes if size < TARGET]

    def tab_stops(self) -> list[dict[str, object]]:
        """Walk the page with Tab from its beginning; return each stop in order."""
        self.page.evaluate(FROM_THE_TOP)
        stops: list[dict[str, object]] = []
        while len(stops) < 100:
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUSED)
            if stop is None or (stops and stop["what"] == stops[0]["what"]):
                return stops
            stops.append(stop)
        raise AssertionError("Tab never comes to an end")

    def inline(self) -> list[str]:
        """Return what a strict policy forbids to stand in the page."""
        found: list[str] = self.page.evaluate(INLINE)
        return found
