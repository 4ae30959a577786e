"""Following the trail: each event once, as it is committed.

An event's time is that of its transaction's start, so one that is older than others may be
seen after them. Each look therefore goes back some seconds, and leaves out what was seen:
more than any transaction lasts, for a time is told once its locks are held.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select

from ..core.db import Database, Transaction
from .models import event
from .query import Search, Told, places

#: Seconds that each look goes back.
BACK = 30

#: Parameters of one statement: databases bound them.
_AT_ONCE = 500


class Follower:
    """Whoever follows what `search` looks for, from now on.

    :param search: with `since`, what happened from then on comes first
    """

    def __init__(self, db: Database, search: Search) -> None:
        self._db = db
        self._search = search
        self._seen: dict[str, int] = {}
        with db.read() as tx:
            self._from = tx.now - BACK if search.since is None else search.since
            if search.since is None:
                self._seen = {id_: at for at, id_ in self._places(tx)}

    def look(self) -> Iterator[Told]:
        """Yield what has come since the last look, oldest first."""
        with self._db.read() as tx:
            new = [(at, id_) for at, id_ in self._places(tx) if id_ not in self._seen]
            # What comes from here on is not older than this.
            back = tx.now - BACK
        for start in range(0, len(new), _AT_ONCE):
            yield from self._told(new[start : start + _AT_ONCE])
        self._seen |= {id_: at for at, id_ in new}
        self._from = max(self._from, back)
        self._seen = {id_: at for id_, at in self._seen.items() if at >= self._from}

    def _places(self, tx: Transaction) -> list[tuple[int, str]]:
        return places(tx, replace(self._search, since=self._from))

    def _told(self, some: Sequence[tuple[int, str]]) -> list[Told]:
        ids = [id_ for _, id_ in some]
        asked = select(event.c.at, event.c.id, event.c.body).where(event.c.id.in_(ids))
        with self._db.read() as tx:
            rows = [Told(row.at, row.id, row.body) for row in tx.execute(asked)]
        return sorted(rows)


def follow(db: Database, search: Search, is_over: Callable[[], bool]) -> Iterator[Told]:
    """Yield each event once, until `is_over`, which waits between two looks."""
    follower = Follower(db, search)
    yield from follower.look()
    while not is_over():
        yield from follower.look()
