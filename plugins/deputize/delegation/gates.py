"""Gates: what may still say no, or ask the person, once the rules of narrowing are met.

A grant knows no policy: it asks each gate in order. Approvals and policies add gates;
the one here stands even without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..agents.models import Agent
from ..core.refusal import Refusal
from ..core.values import Words
from .attenuation import Asked
from .liveness import Standing
from .node import Delegation


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
            raise Refusal(NEEDS_APPROVAL, "The person must approve this scope each time.")


def pass_gates(gates: Sequence[Gate], request: GateRequest) -> None:
    """Ask each gate in order.

    :raises Refusal: the first that says no
    """
    for gate in gates:
        gate.examine(request)
