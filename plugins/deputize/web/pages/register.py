"""All agents that somebody looks after, one of them, and what ends before it is stopped."""

from dataclasses import dataclass

from markupsafe import Markup

from .frame import AgentFace, Page, State
from .message import Onward


@dataclass(frozen=True)
class Filter:
    """A choice of what is listed or drawn, as a link."""

    url: str
    words: str
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class AgentCard:
    """One agent of the list."""

    agent: AgentFace
    state: State
    status: str
    """The word beside the shape: "suspended"."""
    url: str
    facts: tuple[Markup, ...] = ()
    """Owner, expiry, last use, each in plain words."""


@dataclass(frozen=True, kw_only=True)
class RegisterPage(Page):
    """Which agents are there, who answers for them, and which need a look?"""

    whose: tuple[Filter, ...] = ()
    """Mine or all; empty for who may see their own alone."""
    filters: tuple[Filter, ...] = ()
    days: tuple[Filter, ...] = ()
    """Within how many days, where that matters."""
    agents: tuple[AgentCard, ...] = ()
    next_url: str = ""
    """Where the list goes on."""
    graph_url: str = ""


@dataclass(frozen=True)
class Fact:
    """One line of an overview: what it is called, and what it is."""

    name: str
    told: Markup | str


@dataclass(frozen=True)
class KeyLine:
    """One public key; nothing secret."""

    kid: str
    kind: str
    """Such as "EC P-256, ES256"."""
    thumbprint: str
    """RFC 7638, SHA-256."""


@dataclass(frozen=True, kw_only=True)
class HeldLine:
    """One delegation that the agent holds."""

    person: str
    state: State
    what: tuple[str, ...]
    until: Markup
    url: str
    """Where it stands in the graph."""


@dataclass(frozen=True, kw_only=True)
class HappenedLine:
    """One thing that happened."""

    state: State
    words: str
    when: Markup
    who: AgentFace | None = None


@dataclass(frozen=True, kw_only=True)
class AgentPage(Page):
    """Who is this agent, what does it hold, what has it done, and stop it."""

    agent: AgentFace
    state: State
    status: str
    purpose: str = ""
    """Its own words."""
    overview: tuple[Fact, ...] = ()
    keys: tuple[KeyLine, ...] = ()
    proves_itself: str = ""
    """How, in a sentence."""
    held: tuple[HeldLine, ...] = ()
    more_held: int = 0
    """How many more there are, at least."""
    graph_url: str = ""
    approvals: tuple[Fact, ...] = ()
    inbox_url: str = ""
    """Where the reader finds what was asked of them; empty where nothing was."""
    happened: tuple[HappenedLine, ...] = ()
    presses: tuple[Onward, ...] = ()
    register_url: str = ""


@dataclass(frozen=True, kw_only=True)
class StopPage(Page):
    """What ends or begins with a press, before it is pressed: that is a POST."""

    agent: AgentFace
    verb: str
    """The press's word: "Suspend"."""
    sentence: str
    """What ends with it."""
    afterwards: str
    action: str
    cancel_url: str
