"""In which browsers a person is told: what that page is told."""

from dataclasses import dataclass

from markupsafe import Markup

from .frame import Page


@dataclass(frozen=True)
class BrowserCard:
    """One browser of the person's that tells them."""

    name: str
    """The person's own words."""
    added: Markup
    told: Markup
    """When it was last told something; nothing where it never was."""
    remove_url: str


@dataclass(frozen=True, kw_only=True)
class BrowsersPage(Page):
    """In which browsers the person is told, the oldest first. Posts `subscription` and `name`."""

    notifications_url: str = ""
    browsers: tuple[BrowserCard, ...] = ()
    action: str
    key: str
    """The server's, by which the browser knows who tells it (RFC 8292 §4)."""
    problem: str = ""
    longest: int
    """Characters of a name."""
