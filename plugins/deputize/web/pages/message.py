"""Something happened."""

from dataclasses import dataclass

from .frame import Page, State


@dataclass(frozen=True)
class Onward:
    """A link that says where it goes."""

    url: str
    words: str


@dataclass(frozen=True, kw_only=True)
class MessagePage(Page):
    """Something happened: an error, or a thing finished. Only the server's own words."""

    title: str
    """What happened, as a sentence without a full stop: "This request can't be used"."""
    state: State | None = None
    sentences: tuple[str, ...] = ()
    """Whether anything was granted, and what to do next."""
    reference: str = ""
    """The id to quote to support."""
    onward: tuple[Onward, ...] = ()
