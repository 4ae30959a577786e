"""The person decides: yes, less, or no. About exactly what was shown, once.

Everything is looked at again: a card under a delegation that has ended is past deciding.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update

from ..audit.record import Event, record
from ..core.db import Transaction
from ..core.values import Words, is_id, line
from ..delegation.context import Context
from ..delegation.issue import locks_of
from ..delegation.liveness import find_standing, why_dead
from ..delegation.models import person
from ..host import Authentication
from .models import Approval, Status, approval, approval_from_row


class Outcome(StrEnum):
    """What became of a decision."""

    DONE = "done"
    CHANGED = "changed"
    OVER = "over"
    SIGN_IN = "sign in"


@dataclass(frozen=True, slots=True)
class Yes:
    """What the person grants of what was asked.

    :param lifetime: seconds that the token may live
    :param authentication: how and when they signed in
    """

    scope: Words
    lifetime: int
    authentication: Authentication


def find_card(tx: Transaction, approval_id: str, person_key: str) -> Approval | None:
    """Return the card, if it was put to this person."""
    if not is_id(approval_id):
        return None
    mine = (
        select(approval)
        .join(person, person.c.id == approval.c.person_id)
        .where(approval.c.id == approval_id, person.c.host_key == person_key)
    )
    row = tx.execute(mine).mappings().first()
    return approval_from_row(row) if row else None


def cards_of(tx: Transaction, person_key: str, limit: int) -> list[Approval]:
    """Return what was put to this person, newest first."""
    mine = (
        select(approval)
        .join(person, person.c.id == approval.c.person_id)
        .where(person.c.host_key == person_key)
        .order_by(approval.c.created_at.desc(), approval.c.id)
        .limit(limit)
    )
    return [approval_from_row(row) for row in tx.execute(mine).mappings()]


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
        if why_dead(standing, tx.now) or not card.is_open(tx.now):
            return Outcome.OVER
        if yes and not _is_strong_enough(context, tx, card, yes):
            return Outcome.SIGN_IN
        if not _store(tx, card, content_hash, yes):
            return Outcome.CHANGED
        _tell(tx, card, yes)
    return Outcome.DONE


def _is_strong_enough(context: Context, tx: Transaction, card: Approval, yes: Yes) -> bool:
    """Tell whether the person proved who they are as each scope's rule asks (RFC 9470 §3)."""
    scopes, told = context.moment(tx).catalogue.scopes, yes.authentication
    rules = [scopes[name] for name in yes.scope - card.held if name in scopes]
    age = None if told.auth_time is None else tx.now - told.auth_time
    return all(
        (rule.acr is None or rule.acr == told.acr)
        and (rule.max_age is None or (age is not None and age <= rule.max_age))
        for rule in rules
    )


def _store(tx: Transaction, card: Approval, content_hash: str, yes: Yes | None) -> bool:
    as_shown = (
        (approval.c.id == card.id)
        & (approval.c.status == Status.PENDING)
        & (approval.c.content_hash == content_hash)
        & (approval.c.expires_at > tx.now)
    )
    values: dict[str, object] = {"status": Status.DENIED, "decided_at": tx.now}
    if yes is not None:
        values |= {
            "status": Status.APPROVED,
            "granted_scope": line(yes.scope & card.scope),
            "granted_lifetime": min(yes.lifetime, card.lifetime),
            "auth_time": yes.authentication.auth_time,
            "acr": yes.authentication.acr,
            "amr": " ".join(yes.authentication.amr),
        }
    return tx.execute(update(approval).where(as_shown).values(**values)).rowcount == 1


def _tell(tx: Transaction, card: Approval, yes: Yes | None) -> None:
    facts = {"approval_id": card.id, "content_hash": card.content_hash, "chain": list(card.chain)}
    if yes is not None:
        facts |= {"scope": line(yes.scope & card.scope)}
    record(
        tx,
        Event(
            "approval.approved" if yes else "approval.denied",
            person_id=card.person_id,
            agent=card.client_id,
            task_id=card.task_id,
            delegation_id=card.delegation_id,
            facts=facts,
        ),
    )
