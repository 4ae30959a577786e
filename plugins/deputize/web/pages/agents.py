"""Who acts for me now, and stop it; who may ask me cold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup

from ..words import count_of
from .frame import NOTHING, AgentFace, ChainLink, Holding, Page, State, named

NAMED_AT_MOST: Final = 12


@dataclass(frozen=True, kw_only=True)
class DelegationNode:
    """One agent's hold in a tree, with those it handed authority to beneath it."""

    agent: AgentFace
    state: State
    chain: tuple[ChainLink, ...]
    """From the first agent to this one; "You" is put before it."""
    holds: tuple[Holding, ...] = ()
    until: Markup = NOTHING
    """Live: until when ("until 18:40"). Not live: when it ended ("stopped by you at 18:20")."""
    last_seen: Markup = NOTHING
    """By `time_tag(since(...))`; empty when it never came."""
    seen_where: str = ""
    """Where it was last seen from, such as a host or an address."""
    stop_url: str = ""
    """The `EndPage` of this node; empty when there is nothing left to stop."""
    children: tuple["DelegationNode", ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it may still do something."""
        return self.state in (State.ACTIVE, State.WAITING)


@dataclass(frozen=True, kw_only=True)
class TaskTree:
    """One task and the delegations made for it."""

    agent: AgentFace
    """Whom the person deputized."""
    state: State
    started: Markup
    """By `time_tag(since(...))`."""
    purpose: str = ""
    """What the task is for, in the agent's own words."""
    ending: Markup = NOTHING
    """Live: "until the task is done, at most ..."; finished: how and when it ended."""
    nodes: tuple[DelegationNode, ...] = ()

    receipt_url: str = ""
    """What the task left, to keep; empty where it has not ended."""
    task_url: str = ""
    """The `TaskPage`: more time, or the end that the agent proposes; empty where it is over."""
    asks_for_time: bool = False
    """Whether its agent asks for more time, and the person has not answered."""

    @property
    def is_proposed(self) -> bool:
        """Whether its agent says that it is over, and the person has not answered."""
        return self.state is State.WAITING

    @property
    def waits(self) -> bool:
        """Whether it waits for the person's answer."""
        return self.is_proposed or self.asks_for_time


@dataclass(frozen=True, kw_only=True)
class AgentsPage(Page):
    """Who acts for me now, and stop it. Both lists newest first."""

    live: tuple[TaskTree, ...] = ()
    finished: tuple[TaskTree, ...] = ()
    inbox_url: str = ""
    waiting: int = 0
    """How many questions wait in the inbox."""
    code_url: str = ""
    """Where the code is set by which agents may ask cold."""
    graph_url: str = ""
    register_url: str = ""
    """Where agents are that this person looks after; empty for who looks after none."""


@dataclass(frozen=True, kw_only=True)
class UserCodePage(Page):
    """Set the code by which agents may ask me cold, or have none."""

    action: str = ""
    set_at: Markup = NOTHING
    """When it was set; nothing where there is none."""
    problem: str = ""
    shortest: int = 0
    longest: int = 0
    """Characters of a code."""


@dataclass(frozen=True, kw_only=True)
class EndPage(Page):
    """What ends with it, before it is ended by a POST."""

    agent: AgentFace
    chain: tuple[ChainLink, ...] = ()
    also: tuple[AgentFace, ...] = ()
    """Everyone below, whose authority ends too; each named once."""
    withdrawn: int = 0
    """How many open approvals are withdrawn."""
    action: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)
    cancel_url: str = ""

    @property
    def sentence(self) -> Markup:
        """Say it: "This stops booker and 2 helpers. 1 waiting approval is withdrawn."."""
        helpers = f" and {count_of(len(self.also), 'helper')}" if self.also else ""
        stops = Markup("This stops {}{}.").format(named(self.agent), helpers)
        return Markup(" ").join((stops, self._withdrawals())).rstrip()

    @property
    def afterwards(self) -> Markup:
        """Say who could let it act again: who handed it authority, or the person alone."""
        if len(self.chain) < 2:
            return Markup("It can act for you again only if you let it.")
        parent = named(self.chain[-2])
        return Markup("{} could pass this on to it again. To prevent that, stop {}.").format(
            parent, parent
        )

    @property
    def named(self) -> tuple[AgentFace, ...]:
        """Those whom the page names."""
        return self.also[:NAMED_AT_MOST]

    @property
    def unnamed(self) -> int:
        """How many more there are."""
        return len(self.also) - len(self.named)

    def _withdrawals(self) -> str:
        verb = "is" if self.withdrawn == 1 else "are"
        waiting = count_of(self.withdrawn, "waiting approval")
        return f"{waiting} {verb} withdrawn." if self.withdrawn else ""
