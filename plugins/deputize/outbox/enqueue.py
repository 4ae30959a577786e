"""What is to be sent is stored in the transaction of what it tells: both happen, or neither."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from ..core.db import Transaction
from ..core.secrets import new_id
from .models import outbox


def enqueue(
    tx: Transaction, kind: str, subject: str, destination: str, *, due_at: int, expires_at: int
) -> str:
    """Store that something is to be sent; return the id of the line.

    :param subject: id of what it is about; never a secret
    :param due_at: NumericDate before which it is not sent
    :param expires_at: NumericDate from which it is too late
    """
    row = {
        "id": new_id(),
        "kind": kind,
        "subject": subject,
        "destination": destination,
        "due_at": due_at,
        "attempts": 0,
        "created_at": tx.now,
        "expires_at": expires_at,
    }
    tx.execute(insert(outbox), row)
    return str(row["id"])


def bring_forward(tx: Transaction, kind: str, subjects: Sequence[str] | Select[Any]) -> int:
    """Make what waits about `subjects` due now; return how many lines."""
    waits = (outbox.c.kind == kind) & outbox.c.subject.in_(subjects) & outbox.c.done_at.is_(None)
    later = waits & (outbox.c.due_at > tx.now)
    return tx.execute(update(outbox).where(later).values(due_at=tx.now)).rowcount


def move(tx: Transaction, kind: str, subject: str, *, due_at: int, expires_at: int) -> int:
    """Make what waits about `subject` due at another time; return how many lines."""
    waits = (outbox.c.kind == kind) & (outbox.c.subject == subject) & outbox.c.done_at.is_(None)
    times = {"due_at": due_at, "expires_at": expires_at}
    return tx.execute(update(outbox).where(waits).values(**times)).rowcount


def is_waiting(tx: Transaction, kind: str, subject: str, destination: str) -> bool:
    """Tell whether such a line is still to be sent."""
    same = (outbox.c.kind == kind) & (outbox.c.subject == subject)
    waits = same & (outbox.c.destination == destination) & outbox.c.done_at.is_(None)
    return tx.execute(select(outbox.c.id).where(waits).limit(1)).first() is not None


def count_since(tx: Transaction, kind: str, subject: str, since: int) -> int:
    """Return how many lines about `subject` were stored after `since`, sent or not."""
    same = (outbox.c.kind == kind) & (outbox.c.subject == subject) & (outbox.c.created_at > since)
    return int(tx.execute(select(func.count()).where(same)).scalar_one())


def forget_done(tx: Transaction, kept: int) -> int:
    """Delete what was done with more than `kept` seconds ago; return how many."""
    over = outbox.c.done_at < tx.now - kept
    return tx.execute(delete(outbox).where(over)).rowcount
