"""What the database is really asked: each statement as the driver is given it.

SQLAlchemy's events miss what the hot path runs by the driver itself, so the drivers are
listened to: SQLite by its trace, psycopg by a cursor of our own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import event

from deputize.core.db import Database

#: What begins and ends a transaction (psycopg sends it by itself, unheard), and the empty
#: statement by which a pooled connection is tried.
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", ";")


@dataclass(frozen=True)
class Statement:
    """One statement; SQLite tells it with its values in place, which are then None here."""

    text: str
    values: Any = None


class Ear:
    """Hears the statements of a database, from its next connections on."""

    def __init__(self, db: Database) -> None:
        self._heard: list[Statement] | None = None
        event.listen(db.engine, "connect", self._listen(db))
        db.engine.dispose()

    @contextmanager
    def hearing(self) -> Iterator[list[Statement]]:
        """Yield the list that is filled while the block runs, CONTROL left out."""
        heard = self._heard = []
        try:
            yield heard
        finally:
            self._heard = None

    def _hear(self, text: str, values: Any = None) -> None:
        if self._heard is not None and text and not text.startswith(CONTROL):
            self._heard.append(Statement(text, values))

    def _listen(self, db: Database) -> Callable[[Any, Any], None]:
        if db.is_sqlite:
            return lambda connection, _: connection.set_trace_callback(self._hear)
        factory = _heard_cursor(self._hear)
        return lambda connection, _: setattr(connection, "cursor_factory", factory)


def _heard_cursor(hear: Callable[[str, Any], None]) -> type[psycopg.Cursor[Any]]:
    class HeardCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            hear(str(query), params)
            return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            rows = list(params_seq)
            for params in rows:
                hear(str(query), params)
            super().executemany(query, rows, **options)

    return HeardCursor
