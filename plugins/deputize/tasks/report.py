"""The root agent reports: that it is still there, that it needs longer, and what came of its task.

A heartbeat moves when it must be heard of again, and never the deadline. It is no decision, and
leaves no event: the row says until when the silence may last.
"""

from sqlalchemy import ColumnElement, select, update

from ..core.db import Transaction
from .change_status import change_status
from .lifecycle import RUNNING, TaskStatus
from .models import Task, task


def find_task(tx: Transaction, task_id: str) -> Task | None:
    """Return the task of that id, ended or not."""
    row = tx.execute(select(task).where(task.c.id == task_id)).mappings().first()
    return Task(**row) if row else None


def is_in_time(now: int) -> ColumnElement[bool]:
    """Return what holds of the row of a task that time has not ended, swept or not.

    :param now: NumericDate of the transaction that would move it
    """
    return (task.c.deadline > now) & (task.c.heard_by.is_(None) | (task.c.heard_by > now))


def hear(tx: Transaction, of: Task) -> bool:
    """Note that the agent was heard of in time; tell whether it was."""
    if of.heartbeat is None:
        return True
    heard = update(task).where(_is_open(tx, of.id)).values(heard_by=tx.now + of.heartbeat)
    return tx.execute(heard).rowcount == 1


def propose(tx: Transaction, task_id: str, outcome: TaskStatus) -> bool:
    """Say what came of the task; until its person accepts it, nothing below it is alive.

    The caller holds the task's lock. Tell whether it was open.
    """
    said = {"proposed": outcome, "proposed_at": tx.now, "heard_by": None, "asked_until": None}
    return change_status(tx, task_id, TaskStatus.PROPOSED, where=is_in_time(tx.now), **said)


def reopen(tx: Transaction, of: Task) -> bool:
    """Open the task again whose proposed end was not accepted; tell whether that waited."""
    heard_by = tx.now + of.heartbeat if of.heartbeat else None
    again = {"proposed": None, "proposed_at": None, "heard_by": heard_by}
    return change_status(tx, of.id, TaskStatus.OPEN, where=is_in_time(tx.now), **again)


def ask_for_time(tx: Transaction, task_id: str, until: int) -> bool:
    """Ask the person for a later deadline; tell whether the task is open, and asks for none yet."""
    may_ask = _is_open(tx, task_id) & task.c.asked_until.is_(None) & (task.c.deadline < until)
    return tx.execute(update(task).where(may_ask).values(asked_until=until)).rowcount == 1


def deny_time(tx: Transaction, task_id: str, asked_until: int) -> bool:
    """Give a task no more time; tell whether it asked for that still."""
    asks = _is_open(tx, task_id) & (task.c.asked_until == asked_until)
    denied = {"asked_until": None, "more_denied_at": tx.now}
    return tx.execute(update(task).where(asks).values(**denied)).rowcount == 1


def extend(tx: Transaction, of: Task, deadline: int) -> bool:
    """Move the deadline of a running task further away; tell whether that could be done.

    :param of: as its person saw it: an answer to what it did not ask then is none
    """
    runs = (task.c.id == of.id) & task.c.status.in_(RUNNING) & is_in_time(tx.now)
    asked_so = task.c.asked_until.is_not_distinct_from(of.asked_until)
    further = runs & asked_so & (task.c.deadline < deadline)
    given = {"deadline": deadline, "asked_until": None, "more_denied_at": None}
    return tx.execute(update(task).where(further).values(**given)).rowcount == 1


def _is_open(tx: Transaction, task_id: str) -> ColumnElement[bool]:
    return (task.c.id == task_id) & (task.c.status == TaskStatus.OPEN) & is_in_time(tx.now)
