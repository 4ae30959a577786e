"""A node under a live node: found again, or made. What exchange, code and refresh share."""

from dataclasses import replace
from functools import partial

from ..agents.adopt import may_act_for
from ..agents.models import Agent, find_agent, find_agents
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import new_id
from ..core.values import Words
from .attenuation import Asked, Limits, Rules, attenuate, require_delegable
from .details import write_details
from .gates import GateRequest, pass_gates
from .issue import Decision, Mint, Overtaken, mint_delegated
from .liveness import TEXTS, Standing, find_lease, find_standing, is_unchanged, why_dead
from .node import Delegation
from .quotas import EXCHANGES, drawing


def live_standing(decision: Decision, delegation_id: str) -> Standing:
    """Return the delegation, if it is alive and its person may still act at the host.

    :raises Refusal: the rule of `liveness` that says no
    """
    standing = find_standing(decision.tx, delegation_id, decision.caller.client_id)
    dead = why_dead(standing, decision.moment.now)
    if not dead and standing and not decision.context.host.is_active(standing.subject):
        dead = "person.inactive"
    if standing is None or dead:
        raise Refusal(dead or "delegation.unknown", TEXTS[dead or "delegation.unknown"])
    return standing


def current_agent(decision: Decision, revision: int | None, subject: str) -> Agent:
    """Return the caller as it is registered at `revision`: mostly as it authenticated.

    :param subject: on whose behalf it is to act
    :raises Refusal: `client.not_active` when it was stopped since, `person.not_its_own`
    """
    agent: Agent | None = decision.caller.agent
    if agent and agent.revision != revision:
        agent = find_agent(decision.tx, agent.client_id)
    if agent is None or not agent.is_live(decision.moment.now):
        raise Refusal("client.not_active", "Client authentication failed.")
    if agent.revision != revision:
        raise Overtaken
    if not may_act_for(agent, subject):
        raise Refusal("person.not_its_own", "The agent may act for one other person alone.")
    return agent


def narrow(
    decision: Decision, agent: Agent, standing: Standing, token_scope: Words, asked: Asked
) -> Mint:
    """Return a lease on the node presented, on one found again, or on a new one below it.

    :raises Refusal: the first rule or gate that says no
    """
    parent = standing.node
    require_delegable(parent, asked, decision.moment.rules)
    if parent.approval_id is None:
        ask_gates(decision, agent, parent, token_scope, asked)
    changes = attenuate(parent, token_scope, limits_of(agent), asked, decision.moment.rules)
    mint = partial(
        mint_delegated,
        decision,
        subject=standing.subject,
        started_at=standing.started_at,
        deadline=standing.deadline,
        writes=(drawing(EXCHANGES, standing, decision.context.settings),),
    )
    if all(getattr(parent, name) == value for name, value in changes.items()):
        return mint(parent, is_still_so=partial(is_unchanged, standing))
    child = parent.child(new_id(), decision.moment.now, **changes)
    found = find_lease(decision.tx, child.lease_hash, standing.caller)
    if found is not None:
        if found.caller_revision != agent.revision:
            raise Overtaken
        # What it hangs on is above its parent too: the lease alone need be looked at again.
        return mint(found.node, is_still_so=partial(is_unchanged, found))
    return mint(child, new_nodes=(child,), is_still_so=partial(is_unchanged, standing))


def ask_gates(
    decision: Decision, agent: Agent, parent: Delegation, token_scope: Words, asked: Asked
) -> None:
    """Let the gates look at what every other rule would let pass.

    Where a ceiling, the target or the chain says no, asking the person would not help.

    :raises Refusal: the first rule or gate that says no
    """
    rules = decision.moment.rules
    askable = (asked.scope or frozenset()) & rules.sensitive
    if askable:
        elevate(decision.tx, agent, parent, token_scope, asked, rules)
    pass_gates(decision.context.gates, GateRequest(parent, agent.client_id, asked, askable))


def elevate(
    tx: Transaction,
    agent: Agent,
    parent: Delegation,
    token_scope: Words,
    asked: Asked,
    rules: Rules,
) -> dict[str, object]:
    """Return in what a node below `parent` differs from it, once the person has said yes.

    The chain's ceilings still bind, and all else does.

    :raises Refusal: what no approval would change
    """
    if parent.approval_id is not None:
        raise Refusal("scope.elevated", "Ask by a token that was not approved for one thing.")
    wanted = asked.scope or frozenset()
    askable = (wanted & rules.sensitive) | (wanted - parent.scope)
    askable &= chain_ceiling(tx, parent, agent)
    details = parent.details if asked.details is None else write_details(asked.details)
    as_if_held = replace(parent, scope=parent.scope | askable, details=details)
    return attenuate(as_if_held, token_scope | askable, limits_of(agent), asked, rules)


def chain_ceiling(tx: Transaction, parent: Delegation, agent: Agent) -> Words:
    """Return what every agent of the chain, and `agent`, may hold at all."""
    chain = find_agents(tx, frozenset(parent.chain)).values()
    return frozenset.intersection(agent.scope, *(member.scope for member in chain))


def limits_of(agent: Agent) -> Limits:
    """Return what `agent`'s registration allows it."""
    return Limits(
        agent.client_id, agent.scope, agent.resources, agent.max_delegation_depth, agent.expires_at
    )
