"""A task: what a tree of delegations is for, until when, and how much may be done in it."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from ..core.db import metadata
from .lifecycle import RUNNING

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
    Column("exchanges", Integer),
    Column("spawned", Integer),
    Column("elevated", Integer),
    Column("heartbeat", Integer),
    Column("heard_by", BigInteger),
    Column("completion", String(8), nullable=False),
    Column("proposed", String(16)),
    Column("proposed_at", BigInteger),
    Column("asked_until", BigInteger),
    Column("more_denied_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_why", String(64)),
    Index("ix_deputize_task_person_id", "person_id", "started_at"),
    Index("ix_deputize_task_status", "status", "deadline"),
)
Index(
    "ix_deputize_task_heard_by",
    task.c.heard_by,
    sqlite_where=text("heard_by IS NOT NULL"),
    postgresql_where=text("heard_by IS NOT NULL"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """What a tree of delegations is for.

    :param agent: client id of the agent that the person deputized
    :param deadline: NumericDate after which nothing of it is alive
    :param exchanges: tokens that may be exchanged in it; None where the settings alone bind
    :param spawned: agents that may be spawned in it; likewise
    :param elevated: approved steps that may be taken in it; likewise
    :param heartbeat: seconds in which the agent must report again; None where it need not
    :param heard_by: NumericDate by which it must, next
    :param completion: who accepts its end: `at_once` or `person`
    :param proposed: the outcome that the agent proposed, while that waits or once it was accepted
    :param asked_until: NumericDate of the later deadline that the agent asks for, while that waits
    :param more_denied_at: NumericDate at which the person last gave it no more time
    """

    id: str
    person_id: str
    agent: str
    purpose: str
    status: str
    started_at: int
    deadline: int
    completion: str
    exchanges: int | None = None
    spawned: int | None = None
    elevated: int | None = None
    heartbeat: int | None = None
    heard_by: int | None = None
    proposed: str | None = None
    proposed_at: int | None = None
    asked_until: int | None = None
    more_denied_at: int | None = None
    ended_at: int | None = None
    ended_why: str | None = None

    def runs_at(self, now: int) -> bool:
        """Tell whether it has not ended at `now`: by nobody's word, and not by time."""
        is_heard = self.heard_by is None or now < self.heard_by
        return self.status in RUNNING and now < self.deadline and is_heard
