"""A delegation ends, and all below it: by its person, or by the client that holds it."""

from sqlalchemy import select

from ..core.db import Database, Transaction
from ..delegation.models import delegation, delegation_from_row
from ..delegation.node import Delegation
from .cut import Cut, cut
from .locked import task_locked


def end_delegation(db: Database, delegation_id: str, *, why: str, by: str | None = None) -> Cut:
    """End the node and all below it in one transaction; ending the root ends its task.

    After it has returned, nothing below can be made, and nothing made there is alive.
    """
    with db.read() as tx:
        node = find_delegation(tx, delegation_id)
    if node is None or node.ended_at is not None:
        return Cut()
    with task_locked(db, node.task_id) as tx:
        return cut(tx, [node], why, by)


def find_delegation(tx: Transaction, delegation_id: str) -> Delegation | None:
    """Return the node of that id, ended or not."""
    by_id = select(delegation).where(delegation.c.id == delegation_id)
    row = tx.execute(by_id).mappings().first()
    return delegation_from_row(row) if row else None
