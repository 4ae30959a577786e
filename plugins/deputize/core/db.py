"""The plugin's database: reads, and one kind of writing transaction.

Whatever makes authority and whatever ends it takes the same locks first and in the
same order, so that no child is born under an ending: person, the chain's agents by
id, task; shared for what makes, exclusive for what ends. PostgreSQL has advisory
locks for it. SQLite has one writer, and writers queue on a lock that wakes them:
SQLite's own busy handler sleeps up to 100 ms at a time (p99 455 ms against 39 ms).
"""

import fcntl
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from .clock import Clock

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Text that is compared byte by byte, on PostgreSQL as on SQLite: a subtree is a range of paths.
Bytewise = String().with_variant(String(collation="C"), "postgresql")


class Kind(IntEnum):
    """What a lock guards; the number is its place in the one lock order."""

    CATALOGUE = 0
    PERSON = 1
    AGENT = 2
    TASK = 3
    SEAL = 4


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """One thing held for the length of a transaction."""

    kind: Kind
    id: str
    exclusive: bool = False

    def key(self) -> int:
        """Return the lock's number among PostgreSQL's 64-bit advisory locks."""
        name = f"deputize:{self.kind.name}:{self.id}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


class Transaction:
    """Statements that are committed together, and the one time at which they happen.

    :param listeners: of the database that it is on
    """

    __slots__ = ("connection", "listeners", "now")

    def __init__(self, connection: Connection, now: int, listeners: "Listeners") -> None:
        self.connection = connection
        self.now = now
        self.listeners = listeners

    def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        return self.connection.execute(statement, values)


#: By kind of event, what hears of each one in its transaction: it may write, and may refuse.
Listeners = Mapping[str, Sequence[Callable[[Transaction, Any], None]]]


class Prepared:
    """A statement of the hot path: compiled once, then run by the driver itself.

    Executing a compiled select through SQLAlchemy costs 15 µs here, by the driver 4.
    For columns of numbers, text and bytes alone: no type is processed either way.

    :param statement: or what returns it for the name of a dialect
    """

    def __init__(self, statement: ClauseElement | Callable[[str], ClauseElement]) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Sequence[str] | None]] = {}

    def run(self, tx: Transaction, values: Mapping[str, Any]) -> Any:
        """Execute with `values` by name; return the driver's cursor.

        :raises DBAPIError: what the driver raises, without the values
        """
        connection = tx.connection
        text, order = self.text(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, _in_order(values, order))
        except connection.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(text, None, error) from error
        return cursor

    def run_many(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each of `rows`."""
        connection = tx.connection
        text, order = self.text(connection.dialect)
        if rows:
            cursor = connection.connection.cursor()
            cursor.executemany(text, [_in_order(row, order) for row in rows])

    def first(self, tx: Transaction, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        row: tuple[Any, ...] | None = self.run(tx, values).fetchone()
        return row

    def text(self, dialect: Dialect) -> tuple[str, Sequence[str] | None]:
        """Return the text for a driver, and the order of values where they go by place."""
        if dialect.name not in self._compiled:
            if isinstance(self._statement, ClauseElement):
                statement = self._statement
            else:
                statement = self._statement(dialect.name)
            compiled: Any = statement.compile(dialect=dialect)
            order = compiled.positiontup if compiled.positional else None
            self._compiled[dialect.name] = (str(compiled), order)
        return self._compiled[dialect.name]


def _in_order(values: Mapping[str, Any], order: Sequence[str] | None) -> Any:
    return values if order is None else tuple(values[name] for name in order)


class Database:
    """Opens reads and writing transactions on one SQLite file or PostgreSQL database."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.listeners: Listeners = {}
        self.url = make_url(url)
        self.clock = clock
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._queue = _WriteQueue(self.url.database) if self.is_sqlite else None
        #: Set once it is closed: who asks it in a thread of their own stops then.
        self.closed = threading.Event()
        self._glancing = threading.Lock()
        self._kept: Any = None

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a connection for reads: each statement sees what is committed when it runs."""
        if self.is_sqlite:
            with self.engine.connect() as connection:
                yield self._transaction(connection, self.clock.now())
        else:
            with self._opened([]) as tx:
                yield tx

    @contextmanager
    def write(self, locks: Iterable[Lock] = ()) -> Iterator[Transaction]:
        """Open the writing transaction under `locks`; commit at the end, or roll back."""
        if self._queue is not None:
            with self._queue, self.engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                with _committed(connection):
                    yield self._transaction(connection, self.clock.now())
        else:
            with (
                self._opened(sorted(locks), isolation_level="READ COMMITTED") as tx,
                _committed(tx.connection),
            ):
                yield tx

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """Open a connection whose reads are all of one moment, whatever is committed meanwhile."""
        if self.is_sqlite:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                try:
                    yield self._transaction(connection, self.clock.now())
                finally:
                    connection.rollback()
        else:
            with self._opened([], isolation_level="REPEATABLE READ") as tx:
                yield tx

    def glance(self, statement: Prepared, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a statement, over the one connection kept for such questions.

        No transaction, no time, no pool: a third of what it costs to open a read.

        :raises DBAPIError: what the driver raises; the next question has a new connection
        """
        text, order = statement.text(self.engine.dialect)
        with self._glancing:
            try:
                cursor = self._kept_connection().cursor()
                cursor.execute(text, _in_order(values, order))
                row: tuple[Any, ...] | None = cursor.fetchone()
                return row
            except self.engine.dialect.loaded_dbapi.Error as error:
                self._give_up_kept()
                raise DBAPIError(text, None, error) from error

    def _kept_connection(self) -> Any:
        if self._kept is None:
            self._kept = self.engine.raw_connection()
        return self._kept.driver_connection

    def _give_up_kept(self) -> None:
        if self._kept is not None:
            self._kept.invalidate()
            self._kept = None

    @contextmanager
    def _opened(self, locks: list[Lock], **options: Any) -> Iterator[Transaction]:
        """Open a pooled connection of PostgreSQL by its first statement.

        One that was dropped since it was last used is replaced: nothing was asked of it yet.
        """
        first = _locks_and_time(locks)
        try:
            opened = self._open(first, options)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            opened = self._open(first, options)
        with opened.connection:
            yield opened

    def _open(self, first: str, options: Mapping[str, Any]) -> Transaction:
        connection = self.engine.connect().execution_options(**options)
        try:
            told = connection.exec_driver_sql(first).one()
        except BaseException:
            connection.close()
            raise
        now = self.clock.now() if self.clock.is_authoritative else int(told[-1])
        return self._transaction(connection, now)

    def _transaction(self, connection: Connection, now: int) -> Transaction:
        return Transaction(connection, now, self.listeners)

    def rewrite(self) -> bool:
        """Rewrite an SQLite file, so that its bytes hold nothing of what was deleted.

        Return False on PostgreSQL, where it is the operator's; and where a read went on for
        so long that the log could not be emptied.
        """
        if self._queue is None:
            return False
        with self._queue, self.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            emptied = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            return int(emptied[0]) == 0

    def close(self) -> None:
        """Let go of every connection."""
        self.closed.set()
        self._give_up_kept()
        self.engine.dispose()


def insert_unless_present(tx: Transaction, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert `row`, what it lacks as NULL; tell whether it was the first of its key.

    Under any interleaving one insert wins: the compare-and-set of what happens once.
    """
    values = {column.name: row.get(column.name) for column in table.c}
    return int(_insertion(table).run(tx, values).rowcount) == 1


@cache
def _insertion(table: Table) -> "Prepared":
    def of(dialect: str) -> ClauseElement:
        insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
        return insert(table).on_conflict_do_nothing()

    return Prepared(of)


@contextmanager
def _committed(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _locks_and_time(locks: list[Lock]) -> str:
    # One statement, so the liveness read that follows has a snapshot taken after the last
    # lock was granted (READ COMMITTED). A select list is evaluated in order, the time last.
    calls = (
        f"pg_advisory_xact_lock{'' if lock.exclusive else '_shared'}({lock.key()}), "
        for lock in locks
    )
    return f"SELECT {''.join(calls)}extract(epoch FROM clock_timestamp())::bigint"  # noqa: S608


def _sqlite_engine(url: str) -> Engine:
    # isolation_level=None: the driver begins nothing by itself; `write` says BEGIN IMMEDIATE.
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": 30},
        pool_size=32,
        max_overflow=64,
        pool_reset_on_return=None,
    )
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # synchronous=FULL: a token that was handed out survives a power cut, with its event.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _postgresql_engine(url: str) -> Engine:
    return create_engine(url, isolation_level="AUTOCOMMIT", pool_size=32, max_overflow=64)


class _WriteQueue:
    """Writers of one SQLite file in line: threads on a lock, processes on `flock`.

    Both wake their next waiter at once. The file stands beside the database.
    """

    def __init__(self, database: str | None) -> None:
        if not database:
            raise ValueError(
                "an in-memory SQLite database cannot be shared by workers: name a file"
            )
        path = Path(f"{database}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._threads = threading.Lock()
        self._file = path.open("ab")

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()
