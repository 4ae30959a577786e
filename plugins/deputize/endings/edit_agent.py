"""An agent's registration is edited; what no longer fits is taken out of its delegations.

In the edit's own transaction: ceiling, resources, expiry and depth shrink every node
below one that the agent holds; a hand-over to an agent that it may no longer name ends;
a delegation left with nothing ends. Nothing is given back by a later edit.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import and_, select, update

from ..agents.declare import as_its_blueprint
from ..agents.lifecycle import Status
from ..agents.models import SPAWNED, Agent, agent, agent_from_row, agent_to_row, find_agent
from ..agents.rotate import with_overlap
from ..audit.record import Event, record
from ..catalogue.models import load_types
from ..core.db import Database, Transaction
from ..core.values import Words
from ..delegation.models import code, delegation, delegation_from_row, subtree
from ..delegation.node import Delegation
from .cut import agent_locked, cut, live_nodes_of, withdraw_codes
from .edit_catalogue import store_fitted, with_details_that_fit

#: What no edit changes.
_KEPT = (
    "origin",
    "status",
    "created_at",
    "parent",
    "parent_delegation_id",
    "task_id",
    "registration_token_digest",
    "revision",
)


def edit_agent(db: Database, edited: Agent, *, by: str | None = None) -> bool:
    """Store `edited` in place of the registration of that client id; tell whether it changed.

    Status, origin and parentage stay as they are. A new owner ends its live delegations:
    they were granted to an agent that somebody else answered for. The instances of a
    blueprint follow, one by one; a run that is cut short is finished by the next.
    """
    is_changed = _edit(db, edited.client_id, edited, by)
    for instance in instances_of(db, edited.client_id) if edited.is_blueprint else ():
        is_changed |= _edit(db, instance.client_id, None, by)
    return is_changed


def instances_of(db: Database, blueprint: str) -> list[Agent]:
    """Return the instances of a blueprint that are not retired."""
    of_it = (agent.c.blueprint == blueprint) & (agent.c.status != Status.RETIRED)
    with db.read() as tx:
        rows = tx.execute(select(agent).where(of_it).order_by(agent.c.client_id)).mappings()
        return [agent_from_row(row) for row in rows]


def _edit(db: Database, client_id: str, edited: Agent | None, by: str | None) -> bool:
    """Store `edited`, or the agent as it is by then; an instance as its blueprint is by then."""
    with agent_locked(db, client_id) as tx:
        before = find_agent(tx, client_id)
        if before is None:
            return False
        wanted = as_its_blueprint(tx, _keeping_identity(before, edited or before))
        after = with_overlap(before, wanted, tx.now)
        if after == before:
            return False
        store_edit(tx, after, by)
        if after.owner != before.owner:
            withdraw_codes(tx, code.c.client_id == after.client_id)
            cut(tx, live_nodes_of(tx, [after.client_id]), "owner_changed", by)
        else:
            shrink(tx, before, after, by)
        return True


def _keeping_identity(before: Agent, edited: Agent) -> Agent:
    return replace(edited, **{name: getattr(before, name) for name in _KEPT})


def store_edit(tx: Transaction, after: Agent, by: str | None) -> None:
    """Store the registration as it is now, with its event."""
    row = agent_to_row(replace(after, revision=after.revision + 1))
    tx.execute(update(agent).where(agent.c.client_id == after.client_id).values(**row))
    record(tx, Event("agent.edited", agent=after.client_id, facts={"by": by}))


def shrink(tx: Transaction, before: Agent, after: Agent, by: str | None) -> None:
    """Take what no longer fits out of all that the agent, and those it spawned, hold."""
    _shrink(tx, after, before.delegates_to - after.delegates_to, by)


def _shrink(tx: Transaction, holder: Agent, unnamed: Words, by: str | None) -> None:
    tops = live_nodes_of(tx, [holder.client_id])
    cut(tx, [n for n in tops if not _may_hand_over(tx, holder, n)], "delegates_to_edited", by)
    types = load_types(tx)
    for node in _below(tx, tops):
        fitted = with_details_that_fit(_fit(node, holder, unnamed), types)
        store_fitted(tx, node, fitted, "ceiling_edited", by)
    for child in _spawned_by(tx, holder):
        store_edit(tx, _fit_child(child, holder), by)
        _shrink(tx, _fit_child(child, holder), frozenset(), by)


def _may_hand_over(tx: Transaction, holder: Agent, node: Delegation) -> bool:
    if not node.is_hand_over:
        return True
    named = find_agent(tx, node.target)
    spawned_here = named is not None and named.parent == holder.client_id
    return (SPAWNED if spawned_here else node.target) in holder.delegates_to


def _fit(node: Delegation, holder: Agent, unnamed: Words) -> Delegation:
    return replace(
        node,
        scope=node.scope & holder.scope,
        resources=node.resources & holder.resources,
        pass_on=node.pass_on - unnamed,
        expires_at=min(node.expires_at, holder.expires_at),
        max_depth=min(node.max_depth, holder.max_delegation_depth),
    )


def _below(tx: Transaction, tops: list[Delegation]) -> Iterator[Delegation]:
    """Yield the live nodes at and below `tops`, each once, older before younger."""
    seen: set[str] = set()
    for top in sorted(tops, key=lambda node: len(node.path)):
        low, high = subtree(top.path)
        live = select(delegation).where(
            and_(
                delegation.c.path >= low, delegation.c.path < high, delegation.c.ended_at.is_(None)
            )
        )
        for row in tx.execute(live.order_by(delegation.c.path)).mappings().all():
            if row["id"] not in seen:
                seen.add(row["id"])
                yield delegation_from_row(row)


def _spawned_by(tx: Transaction, holder: Agent) -> list[Agent]:
    children = select(agent).where(
        agent.c.parent == holder.client_id, agent.c.status != Status.RETIRED
    )
    rows = [agent_from_row(row) for row in tx.execute(children).mappings()]
    return [child for child in rows if _fit_child(child, holder) != child]


def _fit_child(child: Agent, parent: Agent) -> Agent:
    return replace(
        child,
        scope=child.scope & parent.scope,
        resources=child.resources & parent.resources,
        expires_at=min(child.expires_at, parent.expires_at),
        max_delegation_depth=min(child.max_delegation_depth, parent.max_delegation_depth),
    )
