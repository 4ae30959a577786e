"""Who acts for whom, and what falls if it is cut here: what the drawing and its table are told."""

from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from .frame import NOTHING, AgentFace, ChainLink, Holding, Page, State
from .message import Onward
from .register import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A person, or an agent in one chain: a box, and a line of the table."""

    id: str
    url: str
    """Where it is looked at; empty for what is only named."""
    label: str
    """Its name, already made safe and short."""
    full: str
    """Its name in full, already made safe."""
    note: str
    """What stands below the name."""
    state: State | None = None
    """None for a person, and for what is only named."""
    mark: str = ""
    """Id of its mark among the page's; empty for none."""
    is_person: bool = False
    is_chosen: bool = False
    falls: bool = False
    """Whether it ends with what is chosen."""
    x: int
    y: int
    level: int
    """1 for a person."""
    through: str = ""
    """Who is before it: "Ana Ruiz → planner"."""
    holds: str = ""
    dropped: str = ""
    """What the one before holds and it does not."""
    until: Markup = NOTHING

    @property
    def classes(self) -> str:
        """For the stylesheet."""
        kind = "person" if self.is_person else self.state.value if self.state else "named"
        marks = ("chosen" if self.is_chosen else "", "falls" if self.falls else "")
        return " ".join(("spot", kind, *filter(None, marks)))


@dataclass(frozen=True, slots=True)
class GraphLink:
    """From one box to the next."""

    path: str
    width: float
    """How much of the root's authority remains."""
    label: str
    """What was dropped there, short."""
    x: int
    y: int
    """Where the label ends."""
    falls: bool
    is_over: bool


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The node that is looked at. The form posts to `action`."""

    id: str
    agent: AgentFace
    state: State
    person: str
    chain: tuple[ChainLink, ...]
    holds: tuple[Holding, ...]
    until: Markup
    sentence: str
    """What ends with it: "This ends 14 delegations and 3 tasks."; empty where it has ended."""
    action: str
    """Where it is ended; empty where there is nothing left to end."""
    onward: tuple[Onward, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GraphPage(Page):
    """Who acts for whom now, and what falls if it is cut here?"""

    is_live = True
    script: ClassVar[str] = "graph.js"
    whose: str = ""
    """Tells two people apart who sign in at one browser."""
    states: tuple[Filter, ...] = ()
    ways: tuple[Filter, ...] = ()
    """How much is drawn as one."""
    resources: tuple[Filter, ...] = ()
    limits: tuple[Filter, ...] = ()
    """What it is limited to; each link takes one limit away."""
    as_table: bool = False
    other_view: Filter = field(default_factory=lambda: Filter("", ""))
    told: str = ""
    """How many are drawn, and whether that is all."""
    nodes: tuple[GraphNode, ...] = ()
    links: tuple[GraphLink, ...] = ()
    marks: tuple[tuple[str, Markup], ...] = ()
    width: int = 0
    height: int = 0
    chosen: Chosen | None = None
    box: tuple[int, int] = (0, 0)
    """Width and height of a box."""
    register_url: str = ""
