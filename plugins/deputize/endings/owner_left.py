"""An agent's owner has left: its sponsor answers for it now; where there is none, it is suspended.

Either way what it holds ends: it was granted to an agent that somebody else answered for. One
agent after the other, each whole; whoever was cut short is called again.
"""

from dataclasses import replace

from sqlalchemy import select

from ..agents.change_status import change_status
from ..agents.lifecycle import Status
from ..agents.models import Agent, agent, find_agent
from ..audit.record import Event, record
from ..core.db import Database, Transaction
from ..delegation.models import LEFT, code, person
from .cut import agent_locked, cut, live_nodes_of, withdraw_codes
from .edit_agent import store_edit

OWNER_LEFT = "owner_left"


def owner_left(db: Database, host_key: str) -> list[str]:
    """Hand on or suspend every agent of that owner; return the client ids of these.

    :param host_key: the host's key of the person who left
    """
    return [client_id for client_id in _owned(db, host_key) if _hand_on(db, client_id, host_key)]


def has_left(tx: Transaction, host_key: str | None) -> bool:
    """Tell whether we know that the person of that key has left."""
    left = select(person.c.id).where(person.c.host_key == host_key, person.c.status == LEFT)
    return tx.execute(left).first() is not None


def _owned(db: Database, host_key: str) -> list[str]:
    """Return what could act for its owner still: what waits, or was stopped, does nothing."""
    owned = select(agent.c.client_id).where(
        agent.c.owner == host_key, agent.c.status == Status.ACTIVE, agent.c.parent.is_(None)
    )
    with db.read() as tx:
        return list(tx.execute(owned.order_by(agent.c.client_id)).scalars())


def _hand_on(db: Database, client_id: str, host_key: str) -> bool:
    with agent_locked(db, client_id) as tx:
        before = find_agent(tx, client_id)
        if before is None or before.owner != host_key or before.status != Status.ACTIVE:
            return False
        if _can_answer(tx, before):
            store_edit(tx, replace(before, owner=before.sponsor, sponsor=None), OWNER_LEFT)
            record(tx, Event("agent.handed_on", agent=client_id, facts={"why": OWNER_LEFT}))
        else:
            change_status(tx, client_id, Status.SUSPENDED)
            record(tx, Event("agent.suspended", agent=client_id, facts={"why": OWNER_LEFT}))
        withdraw_codes(tx, code.c.client_id == client_id)
        cut(tx, live_nodes_of(tx, [client_id]), OWNER_LEFT)
        return True


def _can_answer(tx: Transaction, known: Agent) -> bool:
    """Tell whether its sponsor can answer for it; who acts for one person alone goes with them."""
    is_other = known.sponsor not in (None, known.owner) and known.only_for is None
    return is_other and not has_left(tx, known.sponsor)
