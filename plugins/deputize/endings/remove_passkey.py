"""A passkey is removed: it signs nothing any more, and each yes that waits on it is withdrawn.

Its row stays, so that what it signed can be verified later. The person is locked alone:
whoever approves with it at that moment comes before, and is withdrawn, or after, and is refused.
"""

from sqlalchemy import ColumnElement, update

from ..approvals.withdraw import withdraw_resting_on
from ..audit.record import Event, record_all
from ..core.db import Database, Kind, Lock, Transaction
from ..core.refusal import Refusal
from ..passkeys.models import Passkey, passkey
from ..passkeys.relying_party import Assertion
from ..passkeys.use import use_passkey


def remove_own(db: Database, mine: Passkey, shown: Assertion | None) -> None:
    """Let a person remove a passkey of theirs.

    :param shown: by a passkey that counts, where this one does
    :raises Refusal: `passkey.not_shown`, and as `use_passkey`
    """
    with db.write([Lock(Kind.PERSON, mine.person_id, exclusive=True)]) as tx:
        if shown is not None:
            use_passkey(tx, shown)
        elif mine.counts(tx.now):
            raise Refusal("passkey.not_shown", "A passkey that counts has to be shown first.")
        remove_passkeys(tx, passkey.c.id == mine.id, by=mine.person_id)


def remove_passkey(db: Database, lost: Passkey, *, by: str) -> bool:
    """Remove somebody's passkey for them; tell whether it was there."""
    with db.write([Lock(Kind.PERSON, lost.person_id, exclusive=True)]) as tx:
        return remove_passkeys(tx, passkey.c.id == lost.id, by=by) > 0


def remove_passkeys(tx: Transaction, which: ColumnElement[bool], *, by: str) -> int:
    """Remove these of one person, who is locked; return how many there were.

    :param by: who removes them: a person's id, or what an administrator is called
    """
    removing = update(passkey).where(which & passkey.c.removed_at.is_(None))
    told = (passkey.c.id, passkey.c.person_id)
    rows = tx.execute(removing.values(removed_at=tx.now).returning(*told)).all()
    if rows:
        withdraw_resting_on(tx, [row.id for row in rows])
        facts = [{"passkey_id": row.id, "by": by} for row in rows]
        events = zip(rows, facts, strict=True)
        record_all(tx, [Event("passkey.removed", row.person_id, facts=f) for row, f in events])
    return len(rows)
