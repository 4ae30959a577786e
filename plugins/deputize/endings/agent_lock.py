"""The locks that an ending of an agent takes: the agent, and each task it stands in.

What it holds can only grow while its own lock is free, so the tasks are read first,
locked in order, and read again; a task that came in between starts it over.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ..core.db import Database, Kind, Lock, Transaction
from .cut import live_nodes_of


@contextmanager
def agent_locked(db: Database, client_id: str) -> Iterator[Transaction]:
    """Open a writing transaction in which neither the agent nor its tasks can change."""
    tasks: frozenset[str] = frozenset()
    while True:
        locks = [
            Lock(Kind.AGENT, client_id, exclusive=True),
            *(Lock(Kind.TASK, task_id, exclusive=True) for task_id in tasks),
        ]
        with db.write(locks) as tx:
            standing_in = frozenset(n.task_id for n in live_nodes_of(tx, [client_id]))
            if db.is_sqlite or standing_in <= tasks:
                yield tx
                return
            tasks |= standing_in
