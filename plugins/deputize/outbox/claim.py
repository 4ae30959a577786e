"""A worker claims what is due, by compare-and-set, and says what became of it.

A claim lapses when its worker dies. Those who have waited least go first, and few of one
destination at a time: who does not answer holds up nobody else.
"""

from collections.abc import Collection
from secrets import randbelow
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from ..audit.record import Event, record
from ..core.db import Database, Transaction
from .delivery import NotDelivered
from .models import Line, outbox

#: Seconds after which a claim lapses: longer than any one delivery takes.
CLAIMED = 30

#: Lines to one destination that one worker takes at a time.
PER_DESTINATION = 2

#: Seconds between two attempts: at first, and at most; up to a quarter is added by chance.
_FIRST, _MOST = 2, 60

_LONGEST = 200


def claim(db: Database, limit: int, kinds: Collection[str], busy: Collection[str]) -> list[Line]:
    """Claim at most `limit` lines that are due; nobody else gets them meanwhile.

    :param busy: destinations that are left out
    """
    with db.read() as tx:
        ids = _due(tx, limit, kinds, busy)
    if not ids:
        return []
    with db.write() as tx:
        # Skipped where another worker is at it, so that two never wait for each other.
        free = select(outbox.c.id).where(outbox.c.id.in_(ids), _is_due(tx))
        mine = outbox.c.id.in_(free.with_for_update(skip_locked=True))
        values = {"claimed_until": tx.now + CLAIMED, "attempts": outbox.c.attempts + 1}
        claimed = update(outbox).where(mine).values(**values).returning(*outbox.c)
        return [_line(row, tx.now) for row in tx.execute(claimed).mappings()]


def settle(db: Database, line: Line, came: str | NotDelivered) -> None:
    """Write down what came of an attempt; whoever lost the claim meanwhile changes nothing.

    :param came: the outcome, or why it has not arrived
    """
    told = str(came)[:_LONGEST]
    with db.write() as tx:
        due_at = tx.now + _pause(line.attempts)
        if isinstance(came, str):
            _finish(tx, line, "outbox.delivered", told)
        elif due_at < line.expires_at:
            later = {"due_at": due_at, "claimed_until": None, "outcome": told}
            tx.execute(update(outbox).where(_is_mine(line)).values(**later))
        else:
            _finish(tx, line, "outbox.given_up", told)


def _due(tx: Transaction, limit: int, kinds: Collection[str], busy: Collection[str]) -> list[str]:
    order = (outbox.c.attempts, outbox.c.due_at, outbox.c.id)
    place = func.row_number().over(partition_by=outbox.c.destination, order_by=order)
    due = (
        select(outbox.c.id, outbox.c.attempts, outbox.c.due_at, place.label("place"))
        .where(_is_due(tx), outbox.c.kind.in_(kinds), outbox.c.destination.not_in(busy))
        .subquery("due")
    )
    first = select(due.c.id).where(due.c.place <= PER_DESTINATION)
    return list(
        tx.execute(first.order_by(due.c.attempts, due.c.due_at, due.c.id).limit(limit)).scalars()
    )


def _is_due(tx: Transaction) -> ColumnElement[bool]:
    unclaimed = or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= tx.now)
    return outbox.c.done_at.is_(None) & (outbox.c.due_at <= tx.now) & unclaimed


def _line(row: Any, now: int) -> Line:
    names = ("id", "kind", "subject", "destination", "attempts", "created_at", "expires_at")
    return Line(claimed_at=now, **{name: row[name] for name in names})


def _pause(attempts: int) -> int:
    pause = int(min(_MOST, _FIRST * 2 ** min(attempts - 1, 10)))
    return pause + randbelow(pause // 4 + 1)


def _finish(tx: Transaction, line: Line, kind: str, outcome: str) -> None:
    done = update(outbox).where(_is_mine(line)).values(done_at=tx.now, outcome=outcome)
    if tx.execute(done).rowcount != 1:
        return
    facts = {
        "what": line.kind,
        "subject": line.subject,
        "destination": line.destination,
        "attempts": line.attempts,
        "outcome": outcome,
    }
    record(tx, Event(kind, facts=facts))


def _is_mine(line: Line) -> ColumnElement[bool]:
    # Whoever claimed it later counted one attempt more.
    same = (outbox.c.id == line.id) & (outbox.c.attempts == line.attempts)
    return same & outbox.c.done_at.is_(None)
