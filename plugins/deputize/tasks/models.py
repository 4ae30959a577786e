"""A task: open until completed, failed, cancelled or overdue. Its end revokes the tree."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from ..core.db import metadata


class TaskStatus(StrEnum):
    """`open → {completed, failed, cancelled, overdue}`; every end is final."""

    OPEN = "open"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OVERDUE = "overdue"


task = Table(
    "deputize_task",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person_id", String(16), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_why", String(64)),
    Index("ix_deputize_task_person_id", "person_id", "started_at"),
    Index("ix_deputize_task_status", "status", "deadline"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """What a tree of delegations is for."""

    id: str
    person_id: str
    agent: str
    purpose: str
    status: str
    started_at: int
    deadline: int
    ended_at: int | None = None
    ended_why: str | None = None
