"""Retention: sealed events are put away when they are old enough. Their seals stay.

A seal keeps the hashes of its events, so the chain is verifiable without them, and an event says
up to where they are gone. Nobody's word makes a young one go: whoever verifies looks at the times
that were signed.
"""

from sqlalchemy import delete, func, select

from ..core.db import Transaction
from .keys import SEALING
from .models import event, seal
from .record import Event, record
from .seal import AT_ONCE, Sealer

#: Seconds for which an event stays at least, whatever is configured or said.
KEPT_AT_LEAST = 30 * 86_400

PUT_AWAY = "audit.put_away"

#: Events that go in one transaction.
_SOME = 5000


def put_away(sealer: Sealer, kept: int) -> int:
    """Delete events that were sealed more than `kept` seconds ago; return how many.

    :param kept: at least `KEPT_AT_LEAST`
    """
    sealer.seal()
    number = 0
    while some := _put_some_away(sealer, max(kept, KEPT_AT_LEAST)):
        number += some
    return number


def put_away_at(tx: Transaction) -> int:
    """Return when the newest event was sealed that was put away; 0 where none was."""
    first = tx.execute(_FIRST).scalar() or 0
    newest = select(func.max(seal.c.sealed_at)).where(seal.c.first_position < first)
    # Nothing is gone from a trail that still begins with its first.
    return int(tx.execute(newest).scalar() or 0) if first > 1 else 0


def _put_some_away(sealer: Sealer, kept: int) -> int:
    with sealer.db.write([SEALING]) as tx:
        through = _through(tx, tx.now - kept)
        if through is None:
            return 0
        old = (event.c.position <= through) & (event.c.kind != PUT_AWAY)
        gone = tx.execute(delete(event).where(old)).rowcount
        facts = {"through_position": through, "events": gone, "kept": kept}
        record(tx, Event(PUT_AWAY, facts=facts))
        # At once: until it is sealed, the trail would seem to lack what has gone.
        made = []
        while sealed := sealer.seal_in(tx):
            made.append(sealed)
            if sealed.statement.events < AT_ONCE:
                break
    for sealed in made:
        sealer.keep(sealed)
    return gone


def _through(tx: Transaction, sealed_before: int) -> int | None:
    """Return the position up to which the oldest that may go, go; None where none may."""
    first = tx.execute(_FIRST).scalar()
    ends = func.max(seal.c.first_position + seal.c.events - 1)
    last = tx.execute(select(ends).where(seal.c.sealed_at < sealed_before)).scalar()
    if first is None or last is None or first > last:
        return None
    return int(min(last, first + _SOME - 1))


_FIRST = (
    select(event.c.position)
    .where(event.c.position.is_not(None), event.c.kind != PUT_AWAY)
    .order_by(event.c.position)
    .limit(1)
)
