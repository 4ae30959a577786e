"""What every page is told, and what several show: agents, their chains, states."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final

from markupsafe import Markup

from ..marks import agent_mark
from ..words import neutralise

NAME_LENGTH: Final = 60
SHORT_NAME_LENGTH: Final = 24
PURPOSE_LENGTH: Final = 280
SENTENCE_LENGTH: Final = 400
NOTHING: Final = Markup("")


class State(Enum):
    """A state is told by a word, a shape and a colour, never by colour alone."""

    ACTIVE = "active"
    WAITING = "waiting"
    ENDED = "ended"
    REFUSED = "refused"

    @property
    def shape(self) -> str:
        """The glyph before the word, hidden from screen readers."""
        return {"active": "●", "waiting": "◐", "ended": "○", "refused": "✕"}[self.value]


@dataclass(frozen=True)
class AgentFace:
    """An agent as a person recognises it: its mark and its name."""

    client_id: str
    name: str

    @property
    def mark(self) -> Markup:
        """Inline SVG, from the id."""
        return agent_mark(self.client_id)


@dataclass(frozen=True)
class Signing:
    """What the browser is asked for, before the page's form is posted."""

    kind: str
    """`create` for a new passkey, `get` for a signature by one."""
    options: str
    """As JSON (Web Authentication Level 3 §5.4, §5.5)."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the frame around every page shows."""

    person: str = ""
    """Display name of who is signed in; empty when nobody is."""
    agents_url: str = ""
    """Where "Agents acting for me" is; empty leaves the link out."""
    signing: Signing | None = None
    """Where a passkey signs: that page runs a script."""
    worker_url: str = ""
    """Where a browser is subscribed: that page runs a script, and registers this service worker."""
    is_live: ClassVar[bool] = False
    """Whether it asks for itself again: such a page runs a script. No other does."""
    script: ClassVar[str] = ""
    """Which one, of those in `static/`."""


@dataclass(frozen=True)
class ChainLink:
    """One agent of "You → planner → booker"."""

    name: str
    ended: bool = False
    """Struck through."""


@dataclass(frozen=True)
class Holding:
    """Something that a delegation may do."""

    what: str
    where: str = ""


@dataclass(frozen=True)
class ScopeChoice:
    """One line of "It will be able to"."""

    name: str
    """The scope, the value of its box."""
    description: str
    """In plain words: "Read your calendar"; Markup where it tells of details."""
    where: str = ""
    """Host of the resource server, by `words.host_of`."""
    sensitive: bool = False
    """Listed, not tickable: "asks you each time"."""
    ticked: bool = True


@dataclass(frozen=True)
class UntilChoice:
    """One line of the select "Until the task is done, but ..."."""

    seconds: int
    label: str
    """From `words.at_most`: "at most 1 hour, until 18:40"."""
    chosen: bool = False


def named(face: AgentFace | ChainLink) -> Markup:
    """Return the name as every page shows it."""
    return Markup("<bdi>{}</bdi>").format(neutralise(face.name, NAME_LENGTH))
