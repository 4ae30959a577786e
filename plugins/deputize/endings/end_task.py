"""A task ends, and with it everything that hung on it."""

from sqlalchemy import ColumnElement, select

from ..audit.record import record
from ..core.db import Database, Transaction
from ..delegation.models import delegation, delegation_from_row
from ..tasks.change_status import change_status
from ..tasks.lifecycle import TaskStatus
from .cut import Cut, cut, task_ended
from .locked import task_locked


def end_task(
    db: Database,
    task_id: str,
    *,
    why: str,
    by: str | None = None,
    status: TaskStatus = TaskStatus.CANCELLED,
) -> Cut:
    """End the task and the whole tree, in one transaction; nothing where it has ended."""
    with task_locked(db, task_id) as tx:
        return finish(tx, task_id, status, why, by) or Cut()


def finish(
    tx: Transaction,
    task_id: str,
    status: TaskStatus,
    why: str,
    by: str | None = None,
    *,
    where: ColumnElement[bool] | None = None,
) -> Cut | None:
    """Move the task to the end `status`, and end its tree; the caller holds the task's lock.

    Return None where it was in no state that leads there, or `where` did not hold of its row.
    """
    ended = {"ended_at": tx.now, "ended_why": why, "heard_by": None}
    if not change_status(tx, task_id, status, where=where, **ended):
        return None
    roots = select(delegation).where(
        delegation.c.task_id == task_id, delegation.c.parent_id.is_(None)
    )
    tops = [delegation_from_row(row) for row in tx.execute(roots).mappings()]
    done = cut(tx, tops, why, by)
    for root in tops:
        record(tx, task_ended(root, status, why, by))
    done.tasks.append(task_id)
    return done
