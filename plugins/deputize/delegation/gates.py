"""Gates: what may still say no, or ask the person, once the rules of narrowing are met.

A grant knows no policy. A gate looks at what is asked for, before it is narrowed; the one
here stands always. A judge looks at what would be done, at each mint, yes and introspection;
there is none but those that rooms above add.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ..agents.models import Agent
from ..core.refusal import Refusal
from ..core.values import Words
from .attenuation import Asked
from .liveness import Standing
from .node import Delegation

if TYPE_CHECKING:
    from .context import Reading


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What is about to be granted.

    :param parent: the node that is presented
    :param agent: client id of who asks
    :param sensitive: which of the scopes asked for need a fresh approval
    """

    parent: Delegation
    agent: str
    asked: Asked
    sensitive: Words


class Gate(Protocol):
    """Passes by returning; refuses, or asks the person, by raising."""

    def examine(self, request: GateRequest) -> None:
        """:raises Refusal: when the request may not pass."""
        ...


NEEDS_APPROVAL = "scope.needs_approval"

#: Judges asked outside for one answer: each needs that what they judge has changed meanwhile.
MOST_ASKED = 5


class NeedsWord(Refusal):
    """A refusal that the person's fresh word would turn."""


class NeedsApproval(Exception):  # noqa: N818 - not an error: the person is asked
    """A request that only its person can let pass, and that says what to tell them.

    :ivar token_scope: of the token that was presented
    :ivar message: the agent's own words
    """

    def __init__(
        self, agent: Agent, standing: Standing, token_scope: Words, asked: Asked, message: str
    ) -> None:
        self.agent = agent
        self.standing = standing
        self.token_scope = token_scope
        self.asked = asked
        self.message = message


class SensitiveScopes:
    """A sensitive scope is never had without asking the person."""

    def examine(self, request: GateRequest) -> None:
        if request.sensitive:
            raise NeedsWord(NEEDS_APPROVAL, "The person must approve this scope each time.")


def pass_gates(gates: Sequence[Gate], request: GateRequest) -> None:
    """Ask each gate in order.

    :raises Refusal: the first that says no
    """
    for gate in gates:
        gate.examine(request)


class Action(StrEnum):
    """What is judged."""

    ISSUE = "issue"
    APPROVE = "approve"
    INTROSPECT = "introspect"


@dataclass(frozen=True, slots=True)
class Act:
    """What would be done.

    :param agent: client id of who would hold the token, or holds it
    :param grant_type: by which it is asked for; empty where nothing is issued
    :param target: where the token is good, as a node's
    :param details: as a node keeps them
    :param node: of whose person, chain and task it is; None where an agent acts for itself
    :param started_at: NumericDate of the task; None where it begins with this
    :param deadline: NumericDate of the task
    :param is_approved: whether the person gave their fresh word for exactly this
    """

    action: Action
    agent: str
    target: str
    scope: Words
    grant_type: str = ""
    details: str | None = None
    node: Delegation | None = None
    started_at: int | None = None
    deadline: int | None = None
    is_approved: bool = False


class Undecided(Exception):  # noqa: N818 - not an error: the judge asks outside, and all is anew
    """A judge's answer is not at hand: it is asked for when nothing is read, and no lock is held.

    :param question: what the answer is to be kept by
    :param ask: returns the answer, in its own time; raises nothing
    """

    def __init__(self, question: Hashable, ask: Callable[[], object]) -> None:
        super().__init__()
        self.question = question
        self.ask = ask


class Judge(Protocol):
    """Judges again at each decision, whatever was decided before. Passes by returning."""

    def judge(self, reading: "Reading", act: Act) -> None:
        """Look at what would be done, with what is read and the answers at hand.

        :raises Refusal: when it may not be; `NeedsWord` where the person's word would help
        :raises Undecided: where somebody outside is to be asked first
        """
        ...


def pass_judges(judges: Sequence[Judge], reading: "Reading", act: Act) -> None:
    """Let each judge look.

    :raises Refusal: the first that says no
    :raises Undecided: the first that has to ask
    """
    for each in judges:
        each.judge(reading, act)


def act_on(
    action: Action,
    node: Delegation,
    started_at: int | None,
    deadline: int,
    grant_type: str = "",
) -> Act:
    """Return what would be done with a node.

    The person's fresh word was for the node that their approval became, which no lease finds, and
    for none that is made below it.

    :param started_at: NumericDate of the task; None where it begins with this
    :param deadline: NumericDate of the task
    """
    return Act(
        action=action,
        agent=node.actor,
        target=node.target,
        scope=node.scope,
        grant_type=grant_type,
        details=node.details,
        node=node,
        started_at=started_at,
        deadline=deadline,
        is_approved=node.approval_id is not None and node.lease_hash is None,
    )
