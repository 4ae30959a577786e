"""The person's word on a running task: its proposed end accepted or not, more time or none.

More time is as much of a grant as the consent was: by the person alone, never past what they can
grant at all, and counted from now.
"""

from ..agents.models import find_agent
from ..audit.record import Event, record
from ..core.db import Database, Transaction
from ..tasks.lifecycle import TaskStatus
from ..tasks.models import Task
from ..tasks.report import deny_time, extend, find_task, is_in_time, reopen
from .cut import Cut
from .end_task import finish
from .locked import task_locked

#: Why a task ended whose end its person accepted.
ACCEPTED = "accepted"


def accept_end(db: Database, of: Task) -> Cut | None:
    """End the task as its agent proposed; None where nothing of that kind waits any more."""
    with task_locked(db, of.id) as tx:
        now_there = find_task(tx, of.id)
        if now_there is None or now_there.proposed is None or now_there.proposed != of.proposed:
            return None
        outcome, in_time = TaskStatus(now_there.proposed), is_in_time(tx.now)
        return finish(tx, of.id, outcome, ACCEPTED, of.person_id, where=in_time)


def reopen_task(db: Database, of: Task) -> bool:
    """Let the task go on whose end was proposed; tell whether it could be."""
    with task_locked(db, of.id) as tx:
        return reopen(tx, of) and _record(tx, of, "task.reopened")


def extend_task(db: Database, of: Task, deadline: int) -> bool:
    """Move the task's deadline (NumericDate); tell whether that is later, and it runs."""
    with task_locked(db, of.id) as tx:
        return extend(tx, of, deadline) and _record(tx, of, "task.extended", deadline=deadline)


def deny_more_time(db: Database, of: Task) -> bool:
    """Leave the task the deadline that it has; tell whether it asked for another still."""
    if of.asked_until is None:
        return False
    with task_locked(db, of.id) as tx:
        is_denied = deny_time(tx, of.id, of.asked_until)
        return is_denied and _record(tx, of, "task.extension_denied", deadline=of.asked_until)


def latest_deadline(tx: Transaction, of: Task, max_duration: int) -> int:
    """Return the latest deadline (NumericDate) that the person can give it now.

    :param max_duration: seconds that a person can grant, at most
    """
    known = find_agent(tx, of.agent)
    return min(tx.now + max_duration, known.expires_at if known else of.deadline)


def _record(tx: Transaction, of: Task, kind: str, **facts: int) -> bool:
    said, chain = {**facts, "by": of.person_id}, (of.agent,)
    record(tx, Event(kind, of.person_id, of.agent, of.id, chain=chain, facts=said))
    return True
