"""An agent is suspended, retired or set back to pending: all that it stands in ends.

What suspension ended stays ended when the agent is resumed.
"""

from ..agents.change_status import change_status, change_statuses
from ..agents.lifecycle import Status
from ..agents.models import agent
from ..audit.record import Event, record
from ..core.db import Database, Kind, Lock
from ..delegation.models import code
from .cut import Cut, agent_locked, cut, live_nodes_of, withdraw_codes


def stop_agent(
    db: Database, client_id: str, target: Status, *, why: str, by: str | None = None
) -> Cut | None:
    """Move the agent to `target` and end each delegation in whose chain it stands.

    Return None where it was in no state that leads there.
    """
    with agent_locked(db, client_id) as tx:
        if not change_status(tx, client_id, target):
            return None
        withdraw_codes(tx, code.c.client_id == client_id)
        record(tx, Event(f"agent.{target}", agent=client_id, facts={"why": why, "by": by}))
        return cut(tx, live_nodes_of(tx, [client_id]), why, by)


def start_agent(db: Database, client_id: str, *, by: str | None = None) -> bool:
    """Adopt or resume the agent: it can get authority anew. Tell whether it could be."""
    with db.write([Lock(Kind.AGENT, client_id, exclusive=True)]) as tx:
        if not change_status(tx, client_id, Status.ACTIVE):
            return False
        record(tx, Event("agent.active", agent=client_id, facts={"by": by}))
        return True


def resume_agent(db: Database, client_id: str, *, by: str) -> bool:
    """Resume the agent, if it was suspended: what waits to be adopted is not let in by this."""
    with db.write([Lock(Kind.AGENT, client_id, exclusive=True)]) as tx:
        suspended = (agent.c.client_id == client_id) & (agent.c.status == Status.SUSPENDED)
        if not change_statuses(tx, suspended, Status.ACTIVE):
            return False
        record(tx, Event("agent.active", agent=client_id, facts={"by": by}))
        return True
