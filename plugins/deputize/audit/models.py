"""The audit trail's rows: one line for each decision.

An event has no position until it is sealed, so that recording one never waits for
another. Personal data is only behind `person_id`. `body` holds the canonical bytes
that are sealed; the columns beside it are copies to search by. Each index but the first leaves
out the events that lack what it is of: they cost nothing there.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
    type_coerce,
)
from sqlalchemy.types import NullType

from ..core.db import metadata

event = Table(
    "deputize_event",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("rule", String(64)),
    Column("person_id", String(16)),
    Column("agent", String(64)),
    Column("task_id", String(16)),
    Column("delegation_id", String(16)),
    Column("chain", Text),
    Column("body", LargeBinary, nullable=False),
    Column("position", BigInteger),
    Index("ix_deputize_event_at", "at"),
)
for _name in ("person_id", "agent", "task_id", "rule"):
    _there = event.c[_name].is_not(None)
    Index(
        f"ix_deputize_event_{_name}",
        event.c[_name],
        event.c.at,
        sqlite_where=_there,
        postgresql_where=_there,
    )
Index(
    "uq_deputize_event_position",
    event.c.position,
    unique=True,
    sqlite_where=text("position IS NOT NULL"),
    postgresql_where=text("position IS NOT NULL"),
)
#: What an agent was refused by a rule, or by a person, in SQL.
REFUSED = "rule IS NOT NULL OR kind = 'approval.denied'"

# It is looked at by itself: an agent does much else.
Index(
    "ix_deputize_event_refused",
    event.c.agent,
    event.c.at,
    sqlite_where=text(REFUSED),
    postgresql_where=text(REFUSED),
)
# What waits for its seal is soon sealed: this one stays small, whatever the trail's length.
Index(
    "ix_deputize_event_unsealed",
    event.c.at,
    event.c.id,
    sqlite_where=text("position IS NULL"),
    postgresql_where=text("position IS NULL"),
)

#: One for each batch: `leaves` are the hashes of its events, 32 bytes each, and stay when the
#: events are put away; `statement` is what was signed. The columns between are copies of it.
seal = Table(
    "deputize_seal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("first_position", BigInteger, nullable=False, unique=True),
    Column("events", Integer, nullable=False),
    Column("sealed_at", BigInteger, nullable=False, index=True),
    Column("leaves", LargeBinary, nullable=False),
    Column("statement", Text, nullable=False),
)

#: What seals are signed with. One key signs; of its predecessors only the public half is left.
audit_key = Table(
    "deputize_audit_key",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("public_jwk", Text, nullable=False),
    Column("private_jwk", Text),
    Column("created_at", BigInteger, nullable=False),
)


def as_stored(column: Column[Any]) -> ColumnElement[Any]:
    """Return the column without its type: on SQLite, somebody can have written any other there."""
    return type_coerce(column, NullType()).label(column.name)
