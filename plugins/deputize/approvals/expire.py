"""A question that nobody answered in time is over by reading; here it is written down, once."""

from sqlalchemy import ColumnElement, delete, update

from ..audit.record import Event, record_all
from ..core.db import Transaction
from .models import Status, approval, auth_request


def expire(tx: Transaction, which: ColumnElement[bool] | None = None) -> int:
    """Mark what has expired, of `which` or of all; claimed by compare-and-set. Return how many."""
    over = (approval.c.status == Status.PENDING) & (approval.c.expires_at <= tx.now)
    return len(mark(tx, over if which is None else over & which, Status.EXPIRED))


def mark(tx: Transaction, which: ColumnElement[bool], status: Status, **facts: object) -> list[str]:
    """Write down an end of `which`, with an event of each; return their ids."""
    told = (
        approval.c.id,
        approval.c.person_id,
        approval.c.client_id,
        approval.c.task_id,
        approval.c.delegation_id,
        approval.c.chain,
    )
    marking = update(approval).where(which).values(status=status)
    rows = tx.execute(marking.returning(*told)).all()
    record_all(
        tx,
        [
            Event(
                f"approval.{status}",
                person_id=row.person_id,
                agent=row.client_id,
                task_id=row.task_id,
                delegation_id=row.delegation_id,
                chain=tuple(row.chain.split()),
                facts={"approval_id": row.id} | facts,
            )
            for row in rows
        ],
    )
    return [row.id for row in rows]


def forget_ids(tx: Transaction, kept: int) -> int:
    """Delete the ids that expired more than `kept` seconds ago; return how many."""
    over = delete(auth_request).where(auth_request.c.expires_at < tx.now - kept)
    return tx.execute(over).rowcount
