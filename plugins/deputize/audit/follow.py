"""Following the trail: each event once, as it is committed.

An event's time is that of its transaction's start, so one that is older than others may be
seen after them, however long that transaction lasted. What is new is therefore known by its
position: whatever is not sealed yet, or was sealed since the last look.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

from sqlalchemy import select

from ..core.db import Database, Transaction
from .models import event
from .query import Search, Told, find_highest, places_after

#: Parameters of one statement: databases bound them.
_AT_ONCE = 500


class Follower:
    """Whoever follows what `search` looks for, from now on.

    :param search: with `since`, what happened from then on comes first
    """

    def __init__(self, db: Database, search: Search) -> None:
        self._db = db
        self._search = search
        self._through = 0
        self._seen: Collection[str] = ()
        if search.since is None:
            with db.read() as tx:
                self._through = find_highest(tx)
                self._new(tx)

    def look(self) -> Iterator[Told]:
        """Yield what has come since the last look, oldest first."""
        with self._db.read() as tx:
            new = self._new(tx)
        for start in range(0, len(new), _AT_ONCE):
            yield from self._told(new[start : start + _AT_ONCE])

    def _new(self, tx: Transaction) -> list[str]:
        """Return the ids of what was not seen before: seen it is now."""
        # Read first: what is sealed from here on is looked at again.
        highest = find_highest(tx)
        places = places_after(tx, self._search, self._through)
        new = [one.id for one in places if one.id not in self._seen]
        self._seen = {p.id for p in places if p.position is None or p.position > highest}
        self._through = highest
        return new

    def _told(self, ids: Sequence[str]) -> list[Told]:
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
