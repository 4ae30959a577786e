"""What became of a task: one time axis, and a list of the same."""

from dataclasses import dataclass

from markupsafe import Markup

from .frame import AgentFace, Page, State
from .register import HappenedLine


@dataclass(frozen=True, slots=True)
class Lane:
    """One agent's time in the task, as a bar."""

    name: str
    """Already made safe and short."""
    state: State
    y: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, on a lane."""

    x: int
    y: int
    state: State
    said: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A time that the axis names."""

    x: int
    said: str
    anchor: str
    """On which side of `x` it is written (SVG 2 §11.11)."""


@dataclass(frozen=True, kw_only=True)
class TimelinePage(Page):
    """What became of this task? The list holds all that the axis shows, in order."""

    agent: AgentFace
    """Whom the person deputized."""
    subject: str
    """On whose behalf."""
    state: State
    purpose: str
    """In the agent's own words."""
    started: Markup
    ending: Markup
    lanes: tuple[Lane, ...] = ()
    more_lanes: int = 0
    moments: tuple[Moment, ...] = ()
    ticks: tuple[Tick, ...] = ()
    width: int = 0
    height: int = 0
    happened: tuple[HappenedLine, ...] = ()
    is_cut: bool = False
    graph_url: str = ""
    inbox_url: str = ""
    """Where the reader finds what was asked of them; empty for others."""
