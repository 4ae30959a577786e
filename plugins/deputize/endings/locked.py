"""The locks that every ending takes, in the one order: catalogue, person or agent, tasks.

Whatever shrinks or ends rows of a task holds the task exclusively, so that two endings
never wait for each other's rows; and the catalogue shared, because its edits reach into
every task.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.db import Database, Kind, Lock, Transaction

_CATALOGUE = Lock(Kind.CATALOGUE, "")

#: Beyond so many tasks one lock stands for all of theirs: PostgreSQL's lock table is finite.
_MANY = 200


@contextmanager
def task_locked(db: Database, task_id: str) -> Iterator[Transaction]:
    """Open a writing transaction in which nothing of the task can change or be made."""
    with db.write([_CATALOGUE, Lock(Kind.TASK, task_id, exclusive=True)]) as tx:
        yield tx


@contextmanager
def held_with_tasks(
    db: Database, lock: Lock, tasks_of: Callable[[Transaction], frozenset[str]]
) -> Iterator[Transaction]:
    """Open a writing transaction under `lock` and the locks of the tasks that hang on it.

    What they are can only grow while `lock` is free, so they are read first, locked in
    order, and read again; a task that came in between starts it over.
    """
    with db.read() as tx:
        tasks = tasks_of(tx)
    while True:
        with db.write([lock, *_locks_of(tasks)]) as tx:
            now_there = tasks_of(tx)
            if db.is_sqlite or now_there <= tasks:
                yield tx
                return
        tasks |= now_there


def _locks_of(tasks: frozenset[str]) -> list[Lock]:
    if len(tasks) > _MANY:
        # Whatever makes or ends anything holds the catalogue shared.
        return [Lock(Kind.CATALOGUE, "", exclusive=True)]
    return [_CATALOGUE, *(Lock(Kind.TASK, task_id, exclusive=True) for task_id in tasks)]
