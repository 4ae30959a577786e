"""The audit trail's rows: one line for each decision.

An event has no position until it is sealed, so that recording one never waits for
another. Personal data is only behind `person_id`. `body` holds the canonical bytes
that will be sealed; the columns beside it are copies to search by.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

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
    Column("body", LargeBinary, nullable=False),
    Column("position", BigInteger, unique=True),
    Index("ix_deputize_event_task_id", "task_id", "at"),
    Index("ix_deputize_event_agent", "agent", "at"),
)
