"""The floor's four tables in SQLite, in WAL mode, each commit on disk (synchronous=FULL)."""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE client (id TEXT PRIMARY KEY, secret_hash BLOB, jwk TEXT) WITHOUT ROWID;
CREATE TABLE assertion (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE delegation (
    id TEXT PRIMARY KEY, parent_id TEXT, actor TEXT NOT NULL, subject TEXT NOT NULL,
    scope TEXT NOT NULL, expires_at INTEGER NOT NULL, ended_at INTEGER
) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
);
"""
SELECT_CLIENT = "SELECT secret_hash, jwk FROM client WHERE id = ?"
SELECT_DELEGATION = "SELECT scope, expires_at, ended_at FROM delegation WHERE id = ?"
SELECT_CALLER_AND_DELEGATION = """
    SELECT secret_hash, scope, delegation.expires_at, ended_at
    FROM client LEFT JOIN delegation ON delegation.id = ? WHERE client.id = ?
"""
INSERT_ASSERTION = "INSERT INTO assertion (jti, expires_at) VALUES (?, ?)"
INSERT_DELEGATION = """
    INSERT INTO delegation (id, parent_id, actor, subject, scope, expires_at)
    VALUES (?, ?, ?, ?, ?, ?)
"""
INSERT_EVENT = "INSERT INTO event (at, kind, body) VALUES (?, ?, ?)"


class Store:
    """One connection a thread; writers queue on a lock that wakes them.

    SQLite's own busy handler sleeps up to 100 ms at a time, which costs a tenfold p99.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()
        self._mutex = threading.Lock()
        self._file = open(path.with_suffix(".lock"), "w")  # noqa: SIM115 - held for the process

    @property
    def connection(self) -> sqlite3.Connection:
        if not hasattr(self._threads, "connection"):
            self._threads.connection = connect(self.path)
        connection: sqlite3.Connection = self._threads.connection
        return connection

    def find(self, statement: str, *values: str) -> Any:
        return self.connection.execute(statement, values).fetchone()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction."""
        connection = self.connection
        with self._mutex:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                fcntl.flock(self._file, fcntl.LOCK_UN)


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection
