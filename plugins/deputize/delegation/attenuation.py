"""Authority only narrows: every rule of what a child may hold of its parent. Pure.

Each function returns what is left or raises a Refusal that names its rule. Nothing
here widens; only a fresh approval by the person does, and that is another room's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..catalogue.details import DetailsType
from ..core.refusal import Refusal
from ..core.values import Words
from .details import Details, narrow_details, without_details
from .node import Delegation

#: The root agent's own: never passed on.
TASK_SCOPE = "tasks"

#: Nodes on a path: a chain of exchanges that never goes back to its hold is refused here.
MAX_NESTING = 40


@dataclass(frozen=True, slots=True)
class Limits:
    """What an agent's registration allows it, whatever anybody grants.

    :param expires_at: NumericDate
    """

    client_id: str
    scope: Words
    resources: Words
    max_delegation_depth: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks to hold under a node.

    :param scope: None for everything that can be had without asking the person
    :param target: the issuer, a resource server, or the client id of another agent
    :param details: None for those of the parent that belong to the scope
    """

    scope: Words | None
    target: str
    details: Details | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the server says of scopes and targets at this moment."""

    issuer: str
    scopes_by_resource: Mapping[str, Words]
    sensitive: Words
    delegable: Words
    max_depth: int
    types: Mapping[str, DetailsType] = field(default_factory=dict)
    bound: Words = frozenset()


def attenuate(
    parent: Delegation, token_scope: Words, agent: Limits, asked: Asked, rules: Rules
) -> dict[str, object]:
    """Return the members in which a child of `parent`, held by `agent`, differs from it.

    :param token_scope: the scope of the token that is presented, which may be narrower
    :raises Refusal: naming the first rule that says no
    """
    resources = narrow_resources(parent, agent, asked.target, rules)
    chain, max_depth = extend_chain(parent, agent, rules)
    held = token_scope & parent.scope & agent.scope
    if asked.scope is None:
        held -= without_details(parent, asked.details, rules.types, held & rules.bound)
    scope = narrow_scope(asked, held, rules)
    return {
        "actor": agent.client_id,
        "chain": chain,
        "depth": len(chain),
        "max_depth": max_depth,
        "scope": scope,
        "details": narrow_details(parent, asked.details, rules.types, scope, scope & rules.bound),
        "target": asked.target,
        "resources": resources,
        "expires_at": min(parent.expires_at, agent.expires_at),
    }


def narrow_resources(parent: Delegation, agent: Limits, target: str, rules: Rules) -> Words:
    """Return the resources that a child for `target` can still reach.

    :raises Refusal: `target.beyond_delegation` for a resource server out of reach
    """
    within = parent.resources & agent.resources
    if target not in rules.scopes_by_resource:
        return within
    if target not in within:
        raise Refusal("target.beyond_delegation", "That resource is not within the delegation.")
    return frozenset({target})


def extend_chain(parent: Delegation, agent: Limits, rules: Rules) -> tuple[tuple[str, ...], int]:
    """Return the chain once `agent` acts, and the tightest depth that it allows.

    :raises Refusal: `chain.agent_twice`, `chain.too_deep`, `chain.too_nested`
    """
    if parent.path.count("/") >= MAX_NESTING:
        raise Refusal(
            "chain.too_nested", "Too many exchanges deep: exchange the first token again."
        )
    max_depth = min(parent.max_depth, agent.max_delegation_depth, rules.max_depth)
    if agent.client_id == parent.actor:
        return parent.chain, max_depth
    if agent.client_id in parent.chain:
        raise Refusal("chain.agent_twice", "An agent stands only once in a chain.")
    if parent.depth + 1 > max_depth:
        raise Refusal("chain.too_deep", "The chain may not grow any deeper.")
    return (*parent.chain, agent.client_id), max_depth


def narrow_scope(asked: Asked, held: Words, rules: Rules) -> Words:
    """Return the scope that a child for `asked.target` holds.

    :param held: token ∩ delegation ∩ the agent's ceiling
    :raises Refusal: `scope.beyond_subject`, `scope.wrong_target`, `scope.empty`,
        `scope.never_passed`, `scope.hand_over_unnamed`
    """
    is_hand_over = asked.target != rules.issuer and asked.target not in rules.scopes_by_resource
    if asked.scope is None:
        if is_hand_over:
            raise Refusal("scope.hand_over_unnamed", "A hand-over names the scope it hands over.")
        left = (held & belonging(asked.target, held, rules)) - rules.sensitive
    else:
        _require_within(asked, held, rules)
        left = asked.scope
    if is_hand_over and TASK_SCOPE in left:
        raise Refusal("scope.never_passed", "The scope tasks is never passed on.")
    if not left:
        raise Refusal("scope.empty", "Nothing of what the token holds belongs to that target.")
    return left


def belonging(target: str, held: Words, rules: Rules) -> Words:
    """Return which scopes belong to `target`: a server's own; elsewhere all that are held."""
    return rules.scopes_by_resource.get(target, held)


def _require_within(asked: Asked, held: Words, rules: Rules) -> None:
    scope = asked.scope or frozenset()
    if not scope <= held:
        raise Refusal("scope.beyond_subject", "The scope is more than the token and agent hold.")
    if not scope <= belonging(asked.target, scope, rules):
        raise Refusal("scope.wrong_target", "The scope does not belong to that target.")


def require_delegable(parent: Delegation, asked: Asked, rules: Rules) -> None:
    """Refuse to pass on what the person approved for one node alone, its actor's own renewal
    included.

    :raises Refusal: `scope.elevated`
    """
    if parent.approval_id is not None and not (asked.scope or parent.scope) <= rules.delegable:
        raise Refusal("scope.elevated", "What was approved for this token goes no further.")


def is_nameable(
    parent: Delegation, delegates_to: Words, name: str, is_spawned_here: bool, spawned: str
) -> bool:
    """Tell whether the holder of `parent` may hand over to `name`.

    Its `delegates_to` ∩ what the person let this delegation be passed on to; where both
    say `spawned`, agents that it spawned in this task.
    """
    named = {spawned} if is_spawned_here else {name}
    return bool(named & delegates_to & parent.pass_on)
