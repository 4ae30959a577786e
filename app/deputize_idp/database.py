"""The database: one file beside the server by default, PostgreSQL when that is outgrown.

On SQLite a deferred transaction whose first statement writes waits for its turn, while a
write after a read in the same transaction fails at once. So what must be atomic here is
one `UPDATE … WHERE state = …`, made before anything is read in that transaction.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

try:
    from flask_sqlalchemy import SQLAlchemy
except ModuleNotFoundError:  # a plain install is the plugin's alone
    raise ImportError(
        'deputize_idp is not installed whole: pip install "deputize[server]"'
    ) from None

BUSY_SECONDS = 10
TABLES_LOCK = 0x1D9
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


class Base(DeclarativeBase):
    """What every table of the host is declared on."""


db = SQLAlchemy(
    model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False}
)


def init_database(app: Flask, url: str | None, data: Path) -> None:
    """Connect `app`; parameters stay out of error messages, and so out of logs."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url or f"sqlite:///{private_file(data)}"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"hide_parameters": True, "pool_pre_ping": bool(url)}
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", set_pragmas)


def upsert(table: type[Base]) -> Any:
    """An `INSERT` that can say what to do `ON CONFLICT`, on either database."""
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def rowcount(statement: Any) -> int:
    """Execute an `UPDATE` or `DELETE` in the session; how many rows it met."""
    result: Any = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)


@contextmanager
def start_lock(data: Path) -> Iterator[None]:
    """Let one process of this machine at a time make what is made only once."""
    with open(private_file(data, "start.lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def private_file(data: Path, name: str = "idp.sqlite3") -> Path:
    """A file in `data` that nobody else on the machine can read, made when missing."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data.resolve() / name
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path


def set_pragmas(connection: Any, _record: Any) -> None:
    """Set up one SQLite connection of this engine, and of no other."""
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
