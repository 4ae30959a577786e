"""The outbox's rows: what is due to whom. What is said stands in none of them, only of what."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, text

from ..core.db import metadata

outbox = Table(
    "deputize_outbox",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("destination", String(255), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claimed_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("done_at", BigInteger, index=True),
    Column("outcome", String(200)),
    Index("ix_deputize_outbox_subject", "kind", "subject"),
)
Index(
    "ix_deputize_outbox_due_at",
    outbox.c.due_at,
    sqlite_where=text("done_at IS NULL"),
    postgresql_where=text("done_at IS NULL"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to send, as a worker has claimed it.

    :param kind: what delivers it
    :param subject: id of what it is about
    :param destination: whom it goes to: who does not answer holds up nobody else
    :param attempts: this one included; it also tells this claim from a later one
    :param created_at: NumericDate of the decision that it tells of
    :param claimed_at: NumericDate of this attempt
    :param expires_at: NumericDate from which it is too late
    """

    id: str
    kind: str
    subject: str
    destination: str
    attempts: int
    created_at: int
    claimed_at: int
    expires_at: int
