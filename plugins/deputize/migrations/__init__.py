"""The plugin's tables, made and changed by Alembic on SQLite and PostgreSQL.

They are named `deputize_*`, with a version table of their own, so that they can live in
a host's database beside its own migrations.
"""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from ..core.db import Database, Kind, Lock, metadata

VERSION_TABLE = "deputize_alembic_version"

_MODELS = (
    "..agents.models",
    "..approvals.choices",
    "..approvals.models",
    "..approvals.user_code",
    "..audit.models",
    "..catalogue.models",
    "..core.used_once",
    "..core.versions",
    "..delegation.keys",
    "..delegation.models",
    "..passkeys.models",
    "..outbox.models",
    "..tasks.models",
    "..web_push.application_server",
    "..web_push.models",
)


def every_table() -> MetaData:
    """Return the metadata with the tables of every room in it."""
    for models in _MODELS:
        import_module(models, __package__)
    return metadata


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Leave our tables out of a host's own autogenerate: Alembic's `include_name` filter."""
    return kind != "table" or not (name or "").startswith("deputize_")


def upgrade(db: Database) -> None:
    """Bring the tables to the newest revision; workers that start at once take turns."""
    with db.write([Lock(Kind.CATALOGUE, "migrations", exclusive=True)]) as tx:
        command.upgrade(_config(tx.connection), "head")


def current_revision(connection: Connection) -> str | None:
    """Return the revision that the database is at; None before the first."""
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
