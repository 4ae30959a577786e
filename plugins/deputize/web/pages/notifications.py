"""How a person is told that an agent waits, and when not: what that page is told."""

from dataclasses import dataclass

from markupsafe import Markup

from .frame import NOTHING, Page


@dataclass(frozen=True)
class ChannelCard:
    """One way in which a person is told that an agent waits."""

    name: str
    label: str
    address: str = ""
    """Where it goes, masked; empty where that is not known, or not one person's."""
    page_url: str = ""
    """Where the person says where it goes."""
    is_personal: bool = True
    is_reached: bool = True
    """Whether it goes anywhere."""
    is_on: bool = True
    test: Markup = NOTHING
    """When the last test was asked for."""
    has_arrived: bool | None = None
    """None while that is on its way."""
    problem: str = ""


@dataclass(frozen=True)
class QuietForm:
    """The quiet hours as they are written: times as 22:00, a zone's name."""

    starts: str
    ends: str
    zone: str
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class NotificationsPage(Page):
    """How am I told that an agent waits, and when not? Posts `press` with `channel`, or times."""

    inbox_url: str = ""
    action: str = ""
    channels: tuple[ChannelCard, ...] = ()
    quiet: QuietForm
    has_quiet: bool = False
    times: tuple[str, ...] = ()
    """What can be chosen, as 22:00."""
    zones: tuple[str, ...] = ()
    """Suggestions for the zone."""
