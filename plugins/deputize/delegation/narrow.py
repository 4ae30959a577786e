"""A node under a live node: found again, or made. What exchange, code and refresh share."""

from functools import partial

from sqlalchemy import bindparam, select

from ..agents.models import Agent, find_agent, find_agents
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import new_id
from ..core.values import Words
from .attenuation import Asked, Limits, attenuate
from .gates import GateRequest, pass_gates
from .issue import Decision, Mint, Overtaken, mint_delegated
from .liveness import TEXTS, Standing, find_standing, why_dead
from .models import delegation, delegation_from_row
from .node import Delegation


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


def current_agent(decision: Decision, revision: int | None) -> Agent:
    """Return the caller as it is registered at `revision`: mostly as it authenticated.

    :raises Refusal: `client.not_active` when it was stopped since
    """
    agent: Agent | None = decision.caller.agent
    if agent and agent.revision != revision:
        agent = find_agent(decision.tx, agent.client_id)
    if agent is None or not agent.is_live(decision.moment.now):
        raise Refusal("client.not_active", "Client authentication failed.")
    if agent.revision != revision:
        raise Overtaken
    return agent


def narrow(
    decision: Decision, agent: Agent, standing: Standing, token_scope: Words, asked: Asked
) -> Mint:
    """Return a lease on the node presented, on one found again, or on a new one below it.

    :raises Refusal: the first rule or gate that says no
    """
    parent = standing.node
    ask_gates(decision, agent, parent, asked)
    changes = attenuate(parent, token_scope, limits_of(agent), asked, decision.moment.rules)
    mint = partial(mint_delegated, decision, subject=standing.subject, deadline=standing.deadline)
    if all(getattr(parent, name) == value for name, value in changes.items()):
        return mint(parent, is_still_so=partial(is_unchanged, standing, None))
    child = parent.child(new_id(), decision.moment.now, **changes)
    found = find_lease(decision.tx, child.lease_hash)
    if found is not None:
        return mint(found, is_still_so=partial(is_unchanged, standing, found))
    return mint(child, new_nodes=(child,), is_still_so=partial(is_unchanged, standing, None))


def ask_gates(decision: Decision, agent: Agent, parent: Delegation, asked: Asked) -> None:
    """Let the gates look at what could be granted at all: a ceiling refuses before they do.

    :raises Refusal: the first gate that says no
    """
    sensitive = (asked.scope or frozenset()) & decision.moment.rules.sensitive
    if sensitive and not sensitive <= _chain_ceiling(decision.tx, parent, agent):
        return
    pass_gates(decision.context.gates, GateRequest(parent, agent.client_id, asked, sensitive))


def _chain_ceiling(tx: Transaction, parent: Delegation, agent: Agent) -> Words:
    chain = find_agents(tx, frozenset(parent.chain)).values()
    return frozenset.intersection(agent.scope, *(member.scope for member in chain))


def limits_of(agent: Agent) -> Limits:
    """Return what `agent`'s registration allows it."""
    return Limits(
        agent.client_id, agent.scope, agent.resources, agent.max_delegation_depth, agent.expires_at
    )


def find_lease(tx: Transaction, lease_hash: str | None) -> Delegation | None:
    """Return the live node that the same request made before."""
    row = tx.execute(_LEASE, {"lease_hash": lease_hash}).mappings().first()
    return delegation_from_row(row) if row else None


def is_unchanged(standing: Standing, lease: Delegation | None, tx: Transaction) -> bool:
    """Tell whether what was judged alive is still the same, and the lease still there."""
    again = find_standing(tx, standing.node.id, standing.caller)
    if again != standing or why_dead(again, tx.now):
        return False
    return lease is None or find_lease(tx, lease.lease_hash) == lease


_LEASE = select(delegation).where(
    delegation.c.lease_hash == bindparam("lease_hash"), delegation.c.ended_at.is_(None)
)
