"""What the person signs with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from .frame import Page, State


@dataclass(frozen=True)
class PasskeyCard:
    """One passkey of the person's."""

    name: str
    """The person's own words."""
    state: State
    counts: Markup
    """Since or until when: "counts for approvals", "counts from tomorrow, 09:20 UTC"."""
    added: Markup
    used: Markup
    rename_url: str
    remove_url: str


@dataclass(frozen=True, kw_only=True)
class PasskeysPage(Page):
    """What the person signs with, and how it is kept safe. The oldest first."""

    passkeys: tuple[PasskeyCard, ...]
    add_url: str
    delay: str
    """When a new one counts: "after 1 day", "at once"."""


@dataclass(frozen=True, kw_only=True)
class PasskeyPage(Page):
    """One step with a passkey. Posts `credential`, `name` and `hidden`."""

    title: str
    about: str = ""
    """What the passkey is called that it is about."""
    sentences: tuple[str, ...]
    asks_for_name: bool = False
    press: str
    cancel: str = "Not now"
    cancel_url: str
    action: str
    hidden: Mapping[str, str] = field(default_factory=dict)
