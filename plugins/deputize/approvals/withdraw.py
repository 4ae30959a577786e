"""A yes that rests on a passkey ends with it, as long as it has not been redeemed."""

from sqlalchemy import ColumnElement, func, select

from ..core.db import Transaction
from ..passkeys.models import evidence
from .expect import tell_now
from .expire import mark
from .models import Status, approval

#: Where a yes has been said, and nothing has come of it.
_UNUSED = (Status.PENDING, Status.APPROVED)


def count_resting_on(tx: Transaction, passkey_id: str) -> int:
    """Return how many approvals a removal of the passkey would withdraw."""
    resting = select(func.count()).select_from(approval).where(_rests_on([passkey_id]))
    unexpired = resting.where(approval.c.expires_at > tx.now)
    return int(tx.execute(unexpired).scalar_one())


def withdraw_resting_on(tx: Transaction, passkey_ids: list[str]) -> int:
    """Withdraw what was approved, or seconded, with these passkeys; return how many."""
    # Two people who remove theirs at one moment lock the rows in one order.
    held = select(approval.c.id).where(_rests_on(passkey_ids)).order_by(approval.c.id)
    ids = list(tx.execute(held.with_for_update()).scalars())
    unused = approval.c.id.in_(ids) & approval.c.status.in_(_UNUSED)
    withdrawn = mark(tx, unused, Status.WITHDRAWN, why="passkey_removed")
    tell_now(tx, withdrawn)
    return len(withdrawn)


def _rests_on(passkey_ids: list[str]) -> ColumnElement[bool]:
    signed = select(evidence.c.decision_hash).where(evidence.c.passkey_id.in_(passkey_ids))
    return approval.c.decision_hash.in_(signed) & approval.c.status.in_(_UNUSED)
