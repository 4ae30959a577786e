"""May this agent act for me?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from markupsafe import Markup

from ..marks import agent_mark
from .frame import NOTHING, AgentFace, Page, ScopeChoice, UntilChoice

SPAWNED: Final = "spawned"  # the value of `pass_on` and `delegates_to` for helpers not yet born


@dataclass(frozen=True)
class PassOnChoice:
    """One agent, or the helpers it starts, to whom authority may be handed on."""

    value: str
    """A client id, or `SPAWNED`."""
    name: str
    note: str = ""
    """A plain word about it, such as "run by Ben Ode"."""
    ticked: bool = True

    @property
    def mark(self) -> Markup:
        """The agent's mark; helpers not yet born have none."""
        return NOTHING if self.value == SPAWNED else agent_mark(self.value)


@dataclass(frozen=True, kw_only=True)
class ConsentPage(Page):
    """May this agent act for me? Posts `scope`, `pass_on`, `until`, `decision` and `hidden`."""

    agent: AgentFace
    owner: str
    """Who runs it: "run by OWNER"; empty for an agent that nobody has adopted."""
    sponsor: str = ""
    registered: Markup = NOTHING
    """When it was registered, by `time_tag(day(...))`."""
    purpose: str = ""
    """The agent's own words."""
    warnings: tuple[str, ...] = ()
    """Sentences of the server: self-registered, new, run from outside the organisation."""
    problem: str = ""
    """Why the page is shown again, if it is: "Tick at least one line, or press Not now."."""
    scopes: tuple[ScopeChoice, ...] = ()
    pass_on: tuple[PassOnChoice, ...] = ()
    """Empty: it can't pass anything on, and the page says so."""
    until: tuple[UntilChoice, ...] = ()
    returns_to: str = ""
    """Where the browser goes with the answer, by `words.destination_of(redirect_uri)`."""
    action: str = ""
    hidden: Mapping[str, str] = field(default_factory=dict)
