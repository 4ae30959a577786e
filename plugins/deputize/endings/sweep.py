"""What time has ended is written down, and what can never be used again is forgotten.

Expiry and deadlines are true by reading: nothing waits for a sweep. It only writes the
event, once, claimed by compare-and-set, and keeps the tables of one-time things small.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select

from ..approvals.expire import expire, forget_ids
from ..approvals.user_code import forget_tries
from ..core.db import Database
from ..core.used_once import forget_used
from ..delegation.keys import retire_superseded
from ..delegation.models import code, single_use, spawn_token
from ..delegation.push_request import forget_pushed
from ..outbox.enqueue import forget_done
from ..passkeys.challenge import forget_challenges
from ..tasks.lifecycle import RUNNING, TaskStatus
from ..tasks.models import task
from .end_task import finish
from .locked import task_locked

#: Codes and spawn tokens stay this long after their end (seconds), so that a replay is known.
KEPT = 86_400

#: Overdue tasks that one sweep ends: the next one goes on.
AT_ONCE = 500


@dataclass(frozen=True)
class Swept:
    """What a sweep did.

    :param tasks: how many were overdue, or not heard of in time
    :param forgotten: how many one-time things were deleted
    """

    tasks: int
    forgotten: int


def sweep(db: Database) -> Swept:
    """End what is overdue and forget what has expired; safe on any number of workers."""
    ended = sum(_end_overdue(db, task_id) for task_id in _overdue(db))
    with db.write() as tx:
        forgotten = forget_used(tx)
        for table in (code, spawn_token, single_use):
            over = delete(table).where(table.c.expires_at < tx.now - KEPT)
            forgotten += tx.execute(over).rowcount
        forgotten += forget_ids(tx, KEPT) + forget_challenges(tx)
        forgotten += forget_done(tx, KEPT)
        forgotten += forget_pushed(tx)
        forgotten += forget_tries(tx)
        expire(tx)
        retire_superseded(tx)
    return Swept(tasks=ended, forgotten=forgotten)


def _overdue(db: Database) -> list[str]:
    with db.read() as tx:
        late = select(task.c.id).where(_RUNS, task.c.deadline <= tx.now).limit(AT_ONCE)
        silent = select(task.c.id).where(task.c.heard_by <= tx.now).limit(AT_ONCE)
        found = [*tx.execute(late).scalars(), *tx.execute(silent).scalars()]
    return list(dict.fromkeys(found))


def _end_overdue(db: Database, task_id: str) -> bool:
    """End the task, unless another worker did, or it was heard of meanwhile."""
    with task_locked(db, task_id) as tx:
        for why, is_over in (("overdue", task.c.deadline), ("silent", task.c.heard_by)):
            if finish(tx, task_id, TaskStatus.OVERDUE, why, where=is_over <= tx.now) is not None:
                return True
        return False


_RUNS = task.c.status.in_(RUNNING)
