"""Databases with the plugin's tables, copied from one of each engine where they were made.

Making the tables anew for each of some hundred worlds would take longer than their tests: on
PostgreSQL, with the database, half a second of the processor's. A server finds them at the
newest revision, as when it starts again.
"""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from deputize.core.clock import SystemClock
from deputize.core.db import Database
from deputize.migrations import upgrade
from support.postgres import Server


def with_tables(server: Server) -> str:
    """Make a database of PostgreSQL that has the tables; return its URL."""
    return server.create_database(_made_by(server))


def put_tables(url: str) -> None:
    """Put the tables where there is no SQLite file yet."""
    file = Path(make_url(url).database or "")
    if not file.exists():
        file.write_bytes(_made_file())


@cache
def _made_by(server: Server) -> str:
    return _made(server.create_database())


@cache
def _made_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made.sqlite3"
        _made(f"sqlite:///{file}")
        return file.read_bytes()


def _made(url: str) -> str:
    db = Database(url, SystemClock())
    upgrade(db)
    db.close()
    return url
