"""Two people at the same page: one points and runs no script, one has a keyboard alone."""

from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

TABS = 60


class Hands(Protocol):
    """What a person does to a page; everything is found by the words that stand there."""

    page: Page

    def fill(self, label: str, text: str) -> None: ...
    def untick(self, label: str) -> None: ...
    def choose(self, label: str, words: str) -> None: ...
    def open(self, words: str) -> None: ...
    def press(self, name: str) -> None: ...
    def follow(self, name: str) -> None: ...


@dataclass(frozen=True)
class Pointer:
    """A mouse or a finger."""

    page: Page

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)

    def untick(self, label: str) -> None:
        self.page.get_by_label(label).uncheck()

    def choose(self, label: str, words: str) -> None:
        self.page.get_by_label(label).select_option(words)

    def open(self, words: str) -> None:
        self.page.locator("summary").filter(has_text=words).click()

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=True).click()


@dataclass(frozen=True)
class Keyboard:
    """Tab, Space, Enter and letters."""

    page: Page

    def fill(self, label: str, text: str) -> None:
        self._reach(self.page.get_by_label(label))
        self.page.keyboard.type(text)

    def untick(self, label: str) -> None:
        box = self.page.get_by_label(label)
        self._reach(box)
        self.page.keyboard.press("Space")
        expect(box).not_to_be_checked()

    def choose(self, label: str, words: str) -> None:
        self._reach(self.page.get_by_label(label))
        self.page.keyboard.type(words)

    def open(self, words: str) -> None:
        self._reach(self.page.locator("summary").filter(has_text=words))
        self.page.keyboard.press("Enter")

    def press(self, name: str) -> None:
        self._enter(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        self._enter(self.page.get_by_role("link", name=name, exact=True))

    def _enter(self, what: Locator) -> None:
        self._reach(what)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def _reach(self, what: Locator) -> None:
        for _ in range(TABS):
            if what.evaluate("it => it === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {what}")
