"""Rows written in bulk: by `executemany` on SQLite, by COPY on PostgreSQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table, text

from deputize.core.db import Database, Transaction


def load(tx: Transaction, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert `rows` in bulk; a column that a row lacks is NULL."""
    names = [column.name for column in table.c]
    columns = ", ".join(names)
    values = ([row.get(name) for name in names] for row in rows)
    driver: Any = tx.connection.connection.driver_connection
    if tx.connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", values)
        return
    with driver.cursor().copy(f"COPY {table.name} ({columns}) FROM STDIN") as copying:
        for row in values:
            copying.write_row(row)


def analyse(db: Database) -> None:
    """Tell PostgreSQL what its tables hold, as autovacuum does; SQLite is left as it is shipped."""
    if not db.is_sqlite:
        with db.read() as tx:
            tx.execute(text("VACUUM ANALYZE"))
