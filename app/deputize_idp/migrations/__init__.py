"""The host's tables, made and changed by Alembic on SQLite and PostgreSQL, at each start.

They have a version table of their own, so that they can share a database with others.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from ..database import TABLES_LOCK, db

VERSION_TABLE = "idp_alembic_version"
#: The tables as they were before they had versions.
FIRST = "0001"


def upgrade() -> None:
    """Bring the tables to the newest revision, or leave them as they are."""
    with db.engine.begin() as connection:
        _take_turns(connection)
        config = _config(connection)
        if _is_older_than_versions(connection):
            command.stamp(config, FIRST)
        command.upgrade(config, "head")


def _take_turns(connection: Connection) -> None:
    """Several machines may start at once; the driver of SQLite begins nothing before DDL."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TABLES_LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_older_than_versions(connection: Connection) -> bool:
    tables = inspect(connection)
    return tables.has_table("signing_key") and not tables.has_table(VERSION_TABLE)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
