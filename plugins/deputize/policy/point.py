"""A decision point: whoever answers a question, in process or elsewhere."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .question import Question


class Outcome(StrEnum):
    """What comes of a question."""

    ALLOW = "allow"
    DENY = "deny"
    STEP_UP = "step-up"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer.

    :param policies: ids of those that determined it; never their text
    """

    outcome: Outcome
    policies: tuple[str, ...] = ()


class DecisionPoint(Protocol):
    """Answers at once where it can, and else when nothing is held open meanwhile."""

    @property
    def where(self) -> str:
        """What answers, in a few words for an operator."""
        ...

    def find(self, question: Question) -> Verdict | None:
        """Return the answer, where it is at hand."""
        ...

    def ask(self, question: Question) -> Verdict:
        """Return the answer within the time that the settings give; raise nothing."""
        ...
