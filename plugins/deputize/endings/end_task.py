"""A task ends, and with it everything that hung on it."""

from sqlalchemy import select

from ..core.db import Database, Transaction
from ..delegation.models import delegation, delegation_from_row
from .cut import Cut, cut
from .locked import task_locked


def end_task(db: Database, task_id: str, *, why: str, by: str | None = None) -> Cut:
    """End the task's root, and so the task and the whole tree, in one transaction."""
    with task_locked(db, task_id) as tx:
        return cut_tree(tx, task_id, why, by)


def cut_tree(tx: Transaction, task_id: str, why: str, by: str | None = None) -> Cut:
    """End the task's root and all below; the caller holds the task's lock."""
    root = select(delegation).where(
        delegation.c.task_id == task_id, delegation.c.parent_id.is_(None)
    )
    return cut(tx, [delegation_from_row(row) for row in tx.execute(root).mappings()], why, by)
