"""How a database would run a statement: which tables it would read from end to end."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from deputize.core.db import Database
from storage.hearing import Statement

#: `SCAN deputize_x`, by an index or not: in SQLite's words, every row of it is looked at.
_SQLITE_SCAN = re.compile(r"^SCAN (\w+)")
#: Indexes of a few rows alone, that are soon in none: of what is to be sealed.
_SHORT = (" INDEX ix_deputize_event_unsealed",)
_SCANS = frozenset({"Seq Scan", "Parallel Seq Scan", "Sample Scan"})


def scanned(db: Database, statement: Statement) -> set[str]:
    """Return the tables that the plan of `statement` reads from end to end."""
    return (
        _scanned_by_sqlite(db, statement) if db.is_sqlite else _scanned_by_postgresql(db, statement)
    )


def _scanned_by_sqlite(db: Database, statement: Statement) -> set[str]:
    with db.read() as tx:
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}").all()
    steps = [step.detail for step in plan if not step.detail.endswith(_SHORT)]
    return {found[1] for step in steps if (found := _SQLITE_SCAN.match(step))} - {"CONSTANT"}


def _scanned_by_postgresql(db: Database, statement: Statement) -> set[str]:
    # The values stand in the text, as in the plans that are made for them.
    with psycopg.connect(_conninfo(db), cursor_factory=psycopg.ClientCursor) as connection:
        asked = f"EXPLAIN (FORMAT JSON) {statement.text}"
        (plan,) = connection.execute(asked, statement.values).fetchone() or (None,)
    return set(_scans(plan[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] in _SCANS:
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from _scans(below)


def _conninfo(db: Database) -> str:
    return str(db.url.set(drivername="postgresql").render_as_string(hide_password=False))
