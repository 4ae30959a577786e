"""The same again, where the person said yes for the whole task: nobody is asked anew.

It is an approval of its own that rests on that yes: granted to the same delegation, within
what was granted there, redeemed once, and told in the audit trail. It lives as the first did:
the task, the delegation and the rules are looked at when it is made and when it is redeemed.
"""

from dataclasses import replace

from sqlalchemy import insert, select

from ..catalogue.details import is_each_within
from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..delegation.details import is_binding
from ..host import Authentication
from .decide import granted, record_word
from .grant_less import Yes, grant_less
from .models import Approval, Status, approval, approval_from_row, approval_to_row
from .rules import can_repeat, rules_of


def find_repeated(
    tx: Transaction, catalogue: Catalogue, opened: Approval
) -> tuple[Approval, Yes] | None:
    """Return the yes that `opened` is within, and what it comes to here; None without one."""
    if not can_repeat(rules_of(catalogue, opened.adding), opened.details, catalogue.types):
        return None
    said = select(approval).where(
        approval.c.person_id == opened.person_id,
        approval.c.status.in_((Status.APPROVED, Status.REDEEMED)),
        approval.c.for_task,
        approval.c.repeats.is_(None),
        approval.c.delegation_id == opened.delegation_id,
        approval.c.target == opened.target,
    )
    newest = said.order_by(approval.c.decided_at.desc(), approval.c.id)
    for row in tx.execute(newest).mappings():
        before = approval_from_row(row)
        yes = _within(catalogue, before, opened)
        if yes is not None:
            return before, yes
    return None


def _within(catalogue: Catalogue, before: Approval, opened: Approval) -> Yes | None:
    types, given = catalogue.types, before.granted_scope
    is_all = opened.adding <= given & before.adding
    # What was granted within bounds is not repeated without them.
    is_all = is_all and is_binding(before.granted_details, given, types)
    if not is_all or not is_each_within(opened.details, before.granted_details, types):
        return None
    told = Authentication(before.auth_time, before.acr, before.amr)
    try:
        return grant_less(opened, types, told, lifetime=before.granted_lifetime)
    except Refusal:
        return None


def repeat(tx: Transaction, opened: Approval, before: Approval, yes: Yes) -> Approval:
    """Store `opened` as approved by the yes to `before`; return it."""
    resting = replace(opened, status=Status.APPROVED, decided_at=tx.now, repeats=before.id)
    tx.execute(insert(approval), approval_to_row(resting) | granted(yes))
    record_word(tx, resting, "approval.repeated", by=opened.person_id, yes=yes)
    return resting
