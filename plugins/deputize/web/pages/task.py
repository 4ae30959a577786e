"""One running task of mine: its end, or more time for it."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from .frame import NOTHING, AgentFace, Page, UntilChoice, named

_SAYS: Final = {
    "completed": "{} says that its task is done",
    "failed": "{} says that its task has failed",
    "cancelled": "{} says that its task is off",
}


@dataclass(frozen=True)
class ProposedEnd:
    """A task that its agent says is over."""

    agent: AgentFace
    outcome: str
    url: str
    """The `TaskPage` on which that is answered."""

    @property
    def title(self) -> Markup:
        """What it says: "planner says that its task is done"."""
        return _says(self.agent, self.outcome)


@dataclass(frozen=True, kw_only=True)
class TaskPage(Page):
    """Is it over? Posts `decision` (`accept`, `reopen` or `extend`), `seconds` and `proposed`."""

    agent: AgentFace
    purpose: str = ""
    """What the task is for, in the agent's own words."""
    started: Markup = NOTHING
    until: Markup = NOTHING
    proposed: str = ""
    """What the agent says came of it; empty while it says nothing."""
    longer: tuple[UntilChoice, ...] = ()
    """For how long it can go on from now; empty where that is no longer than it would."""
    action: str = ""

    @property
    def title(self) -> Markup:
        """What it is about: "planner says that its task is done"."""
        return _says(self.agent, self.proposed)


def _says(agent: AgentFace, outcome: str) -> Markup:
    text = _SAYS.get(outcome, "A task of {}")
    return Markup(text).format(named(agent))  # noqa: S704 - the text is ours
