"""An agent is suspended, retired or set back to pending: all that it stands in ends.

What suspension ended stays ended when the agent is resumed.
"""

from ..agents.change_status import change_status
from ..agents.declare import has_live_blueprint
from ..agents.lifecycle import Status
from ..agents.models import Agent, find_agent
from ..audit.record import Event, record
from ..core.db import Database, Kind, Lock, Transaction
from ..delegation.models import code
from .cut import Cut, agent_locked, cut, live_nodes_of, withdraw_codes
from .edit_agent import instances_of
from .owner_left import has_left


def stop_agent(
    db: Database, client_id: str, target: Status, *, why: str, by: str | None = None
) -> Cut | None:
    """Move the agent to `target` and end each delegation in whose chain it stands.

    The instances of a blueprint are stopped after it, one by one, so that none is let in behind
    those that were; a run that is cut short is finished by the next. What ended with each stands in
    its event. Return None where nothing was in a state that leads there.
    """
    done = _stop(db, client_id, target, why, by)
    for one in instances_of(db, client_id):
        below = _stop(db, one.client_id, target, why, by)
        if below is not None:
            done = done or Cut()
            done.add(below)
    return done


def _stop(db: Database, client_id: str, target: Status, why: str, by: str | None) -> Cut | None:
    with agent_locked(db, client_id) as tx:
        if not change_status(tx, client_id, target):
            return None
        withdraw_codes(tx, code.c.client_id == client_id)
        done = cut(tx, live_nodes_of(tx, [client_id]), why, by)
        ended = {"nodes": done.nodes, "tasks": len(done.tasks), "agents": len(done.agents)}
        facts = {"why": why, "by": by, **ended}
        record(tx, Event(f"agent.{target}", agent=client_id, facts=facts))
        return done


def start_agent(db: Database, client_id: str, *, by: str | None = None) -> bool:
    """Adopt or resume the agent: it can get authority anew. Tell whether it could be.

    None can whose owner has left or was erased, nor an instance whose blueprint is stopped.
    """
    return _start(db, client_id, by, (Status.PENDING, Status.SUSPENDED))


def resume_agent(db: Database, client_id: str, *, by: str) -> bool:
    """Resume the agent, if it was suspended: what waits to be adopted is not let in by this."""
    return _start(db, client_id, by, (Status.SUSPENDED,))


def _start(db: Database, client_id: str, by: str | None, stands: tuple[Status, ...]) -> bool:
    with db.write([Lock(Kind.AGENT, client_id, exclusive=True)]) as tx:
        known = find_agent(tx, client_id)
        if known is None or known.status not in stands or not _has_owner(tx, known):
            return False
        if not has_live_blueprint(tx, known) or not change_status(tx, client_id, Status.ACTIVE):
            return False
        record(tx, Event("agent.active", agent=client_id, facts={"by": by}))
        return True


def _has_owner(tx: Transaction, known: Agent) -> bool:
    return known.owner is not None and not has_left(tx, known.owner)
