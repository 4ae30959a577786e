"""The person's word on a running task: its proposed end accepted or not, or more time for it.

More time is as much of a grant as the consent was: by the person alone, never past what they can
grant at all, and counted from now.
"""

from ..audit.record import Event, record
from ..core.db import Database, Transaction
from ..tasks.lifecycle import TaskStatus
from ..tasks.models import Task
from ..tasks.report import extend, find_task, is_in_time, reopen
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


def extend_task(db: Database, of: Task, seconds: int) -> bool:
    """Move the task's deadline to `seconds` from now; tell whether that is later, and it runs."""
    with task_locked(db, of.id) as tx:
        until = tx.now + seconds
        return extend(tx, of.id, until) and _record(tx, of, "task.extended", deadline=until)


def _record(tx: Transaction, of: Task, kind: str, **facts: int) -> bool:
    said, chain = {**facts, "by": of.person_id}, (of.agent,)
    record(tx, Event(kind, of.person_id, of.agent, of.id, chain=chain, facts=said))
    return True
