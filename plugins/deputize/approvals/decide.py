"""The person decides: yes, less, or no. About exactly what was shown, once.

Everything is looked at again: a card under a delegation that has ended is past deciding.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select, update

from ..audit.record import Event, record
from ..catalogue.models import Scope
from ..core.db import Transaction
from ..core.values import is_id, line
from ..delegation.context import Context
from ..delegation.details import write_details
from ..delegation.issue import locks_of
from ..delegation.liveness import find_standing, why_dead
from ..delegation.models import person
from .approvers import needed_by
from .expect import tell_now
from .grant_less import Yes
from .models import Approval, Status, approval, approval_from_row
from .rules import is_strong_enough, rules_of

#: What a person's word has led to.
DECIDED = (Status.APPROVED, Status.REDEEMED, Status.DENIED)


class Outcome(StrEnum):
    """What became of a decision."""

    DONE = "done"
    CHANGED = "changed"
    OVER = "over"
    SIGN_IN = "sign in"


def find_card(tx: Transaction, approval_id: str, person_key: str) -> Approval | None:
    """Return the card, if it was put to this person."""
    if not is_id(approval_id):
        return None
    row = tx.execute(_of(person_key).where(approval.c.id == approval_id)).mappings().first()
    return approval_from_row(row) if row else None


def open_cards(tx: Transaction, person_key: str, limit: int) -> list[Approval]:
    """Return what waits for this person, the oldest first: nothing pushes a card away."""
    waits = (
        approval.c.status == Status.PENDING,
        approval.c.expires_at > tx.now,
        approval.c.decision_hash.is_(None),
    )
    oldest = _of(person_key).where(*waits).order_by(approval.c.created_at, approval.c.id)
    return [approval_from_row(row) for row in tx.execute(oldest.limit(limit)).mappings()]


def late_cards(tx: Transaction, person_key: str, seconds: int, limit: int) -> list[Approval]:
    """Return what nobody decided in time, within the last `seconds`, the newest first."""
    undecided = (
        approval.c.status.in_((Status.PENDING, Status.EXPIRED)),
        approval.c.decision_hash.is_(None),
    )
    over = (approval.c.expires_at <= tx.now) & (approval.c.expires_at > tx.now - seconds)
    asked = _of(person_key).where(*undecided, over)
    newest = asked.order_by(approval.c.expires_at.desc(), approval.c.id).limit(limit)
    return [approval_from_row(row) for row in tx.execute(newest).mappings()]


def decided_cards(tx: Transaction, person_key: str, limit: int) -> list[Approval]:
    """Return what this person decided, the newest first."""
    decided = approval.c.status.in_(DECIDED) | approval.c.decision_hash.is_not(None)
    asked = _of(person_key).where(decided)
    newest = asked.order_by(approval.c.decided_at.desc(), approval.c.id).limit(limit)
    return [approval_from_row(row) for row in tx.execute(newest).mappings()]


def _of(person_key: str) -> Select[Any]:
    mine = select(approval).join(person, person.c.id == approval.c.person_id)
    return mine.where(person.c.host_key == person_key)


def decide(context: Context, card: Approval, content_hash: str, yes: Yes | None) -> Outcome:
    """Store the decision about the card as it was shown.

    :param content_hash: of what the person saw
    :param yes: None for a no
    """
    with context.db.read() as tx:
        standing = find_standing(tx, card.delegation_id)
    if standing is None:
        return Outcome.OVER
    with context.db.write(locks_of(standing.node)) as tx:
        standing = find_standing(tx, card.delegation_id)
        # A no is a no, whatever has become of what the card hangs on.
        if not card.is_open(tx.now) or (yes and why_dead(standing, tx.now)):
            return Outcome.OVER
        if content_hash != card.content_hash:
            return Outcome.CHANGED
        rules = rules_of(context.moment(tx).catalogue, card.adding & yes.scope) if yes else []
        if yes and not _is_strong_enough(rules, yes, tx.now):
            return Outcome.SIGN_IN
        asks_others = bool(needed_by(rules))
        if not _store(tx, card, content_hash, yes, asks_others):
            return Outcome.CHANGED
        record_word(tx, card, _word(yes, asks_others), by=card.person_id, yes=yes)
        if not asks_others:
            tell_now(tx, card.id)
    return Outcome.DONE


def _word(yes: Yes | None, asks_others: bool) -> str:
    if yes is None:
        return "approval.denied"
    return "approval.voted" if asks_others else "approval.approved"


def _is_strong_enough(rules: list[Scope], yes: Yes, now: int) -> bool:
    return is_strong_enough(rules, yes.authentication.acr, yes.authentication.auth_time, now)


def _store(
    tx: Transaction, card: Approval, content_hash: str, yes: Yes | None, asks_others: bool
) -> bool:
    as_shown = (
        (approval.c.id == card.id)
        & (approval.c.status == Status.PENDING)
        & (approval.c.content_hash == content_hash)
        & (approval.c.expires_at > tx.now)
    )
    values: dict[str, object] = {"status": Status.DENIED, "decided_at": tx.now}
    if yes is not None:
        # Said once: what others are asked about does not change under them.
        as_shown &= approval.c.decision_hash.is_(None)
        values |= {
            "status": Status.PENDING if asks_others else Status.APPROVED,
            "decision_hash": yes.decided,
            "granted_scope": line(yes.scope),
            "granted_details": write_details(yes.details),
            "granted_lifetime": yes.lifetime,
            "auth_time": yes.authentication.auth_time,
            "acr": yes.authentication.acr,
            "amr": " ".join(yes.authentication.amr),
        }
    return tx.execute(update(approval).where(as_shown).values(**values)).rowcount == 1


def record_word(
    tx: Transaction, card: Approval, kind: str, *, by: str, yes: Yes | None = None
) -> None:
    """Record what somebody said of the card.

    :param by: the id of who said it
    :param yes: where the person themselves said it
    """
    facts = {
        "approval_id": card.id,
        "content_hash": card.content_hash,
        "decision_hash": yes.decided if yes else card.decision_hash,
        "chain": list(card.chain),
        "by": by,
    }
    if yes is not None:
        facts |= {"scope": line(yes.scope)}
    record(
        tx,
        Event(
            kind,
            person_id=card.person_id,
            agent=card.client_id,
            task_id=card.task_id,
            delegation_id=card.delegation_id,
            facts=facts,
        ),
    )
