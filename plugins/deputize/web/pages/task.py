"""One running task of mine: its end, and more time for it."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from .frame import NOTHING, AgentFace, Page, UntilChoice, named

_SAYS: Final = {
    "completed": "{} says that its task is done",
    "failed": "{} says that its task has failed",
    "cancelled": "{} says that its task is off",
    "asks": "{} asks for more time",
}

_ASKS: Final = "asks"


@dataclass(frozen=True)
class TaskQuestion:
    """A task whose agent says that it is over, or asks for more time."""

    agent: AgentFace
    proposed: str
    """What the agent says came of it; empty where it asks for more time."""
    url: str
    """The `TaskPage` on which that is answered."""

    @property
    def title(self) -> Markup:
        """What it says: "planner says that its task is done"."""
        return _says(self.agent, self.proposed or _ASKS)


@dataclass(frozen=True, kw_only=True)
class TaskPage(Page):
    """Is it over, or does it go on for longer? Posts `decision` (`accept`, `reopen`, `extend` or
    `deny`), `seconds` and `shown`."""

    agent: AgentFace
    purpose: str = ""
    """What the task is for, in the agent's own words."""
    started: Markup = NOTHING
    until: Markup = NOTHING
    proposed: str = ""
    """What the agent says came of it; empty while it says nothing."""
    asks_for_time: bool = False
    asked: UntilChoice | None = None
    """The time that it asks for, where it can be given."""
    longer: tuple[UntilChoice, ...] = ()
    """For how long it can go on from now; empty where that is no longer than it would."""
    shown: str = ""
    """What the agent said, as it is shown here: an answer to anything else is none."""
    action: str = ""

    @property
    def title(self) -> Markup:
        """What it is about: "planner says that its task is done"."""
        return _says(self.agent, self.proposed or (_ASKS if self.asks_for_time else ""))


def _says(agent: AgentFace, outcome: str) -> Markup:
    text = _SAYS.get(outcome, "A task of {}")
    return Markup(text).format(named(agent))  # noqa: S704 - the text is ours
