"""The person decides: yes, less, or no. About exactly what was shown, once.

Everything is looked at again: a card under a delegation that has ended is past deciding.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from sqlalchemy import ColumnElement, update

from ..audit.record import Event, record
from ..core.db import Transaction, insert_unless_present
from ..core.values import line
from ..delegation.context import Context
from ..delegation.details import write_details
from ..delegation.issue import locks_of
from ..delegation.liveness import find_standing, why_dead
from ..delegation.persons import commitment, salt_of
from ..passkeys.use import keep_evidence
from .allowed import is_forbidden
from .approvers import Needed, needed_by
from .expect import tell_now
from .find_cards import is_shown_with, shown_as_one
from .grant_less import Yes
from .models import Approval, Status, approval, asked_group
from .rules import believed, can_repeat, is_strong_enough, rules_of
from .tell import tell_groups


class Outcome(StrEnum):
    """What became of a decision."""

    DONE = "done"
    CHANGED = "changed"
    OVER = "over"
    SIGN_IN = "sign in"
    FORBIDDEN = "forbidden"


def decide(context: Context, card: Approval, content_hash: str, yes: Yes | None) -> Outcome:
    """Store the decision about the card as it was shown.

    :param content_hash: of what the person saw
    :param yes: None for a no
    :raises Refusal: `passkey.*`, where what they signed it with is not good any more
    """
    yes = yes and _believed(context, yes)
    with context.db.read() as tx:
        standing = find_standing(tx, card.delegation_id)
    if standing is None:
        return Outcome.OVER
    if yes and is_forbidden(context, card, standing, yes):
        return Outcome.FORBIDDEN
    with context.db.write(locks_of(standing.node)) as tx:
        # A no is a no, whatever has become of what the card hangs on.
        is_over = yes and why_dead(find_standing(tx, card.delegation_id), tx.now)
        if is_over or not card.is_open(tx.now):
            return Outcome.OVER
        if content_hash != card.content_hash:
            return Outcome.CHANGED
        return _say_no(tx, card) if yes is None else _say_yes(context, tx, card, yes)


def _believed(context: Context, yes: Yes) -> Yes:
    passkey_acr = context.settings.approvals.passkey_acr
    told = believed(yes.authentication, yes.signed is not None, passkey_acr)
    return replace(yes, authentication=told)


def _say_no(tx: Transaction, card: Approval) -> Outcome:
    asking = shown_as_one(tx, card)
    # A yes that others were asked to second is taken back: the no is the person's own.
    if not _store(tx, is_shown_with(tx, card), status=Status.DENIED, decision_hash=None):
        return Outcome.CHANGED
    for one in asking:
        record_word(tx, one, "approval.denied", by=card.person_id)
    tell_now(tx, (one.id for one in asking))
    return Outcome.DONE


def _say_yes(context: Context, tx: Transaction, card: Approval, yes: Yes) -> Outcome:
    catalogue = context.moment(tx).catalogue
    rules = rules_of(catalogue, card.adding & yes.scope)
    if not is_strong_enough(rules, yes.authentication, tx.now):
        return Outcome.SIGN_IN
    if yes.for_task and not can_repeat(rules, yes.details, catalogue.types):
        return Outcome.CHANGED
    asking, needed = shown_as_one(tx, card), needed_by(rules)
    # Said once: what others are asked about does not change under them.
    unsaid = is_shown_with(tx, card) & approval.c.decision_hash.is_(None)
    status = Status.PENDING if needed else Status.APPROVED
    if not _store(tx, unsaid, status=status, **granted(yes)):
        return Outcome.CHANGED
    if yes.signed is not None:
        keep_evidence(tx, yes.signed)
    for one in asking:
        kind = "approval.voted" if needed else "approval.approved"
        record_word(tx, one, kind, by=card.person_id, yes=yes)
    if needed:
        _ask_others(tx, yes, needed)
        tell_groups(context, tx, card, needed)
    else:
        tell_now(tx, (one.id for one in asking))
    return Outcome.DONE


def _store(tx: Transaction, those: ColumnElement[bool], **values: object) -> bool:
    """Store the decision about `those`; tell whether there were any."""
    deciding = update(approval).where(those).values(decided_at=tx.now, **values)
    return tx.execute(deciding).rowcount > 0


def granted(yes: Yes) -> dict[str, object]:
    """Return the columns that hold what is granted, and how the person had signed in."""
    return {
        "decision_hash": yes.decided,
        "granted_scope": line(yes.scope),
        "granted_details": write_details(yes.details),
        "granted_lifetime": yes.lifetime,
        "for_task": yes.for_task,
        "auth_time": yes.authentication.auth_time,
        "acr": yes.authentication.acr,
        "amr": " ".join(yes.authentication.amr),
        "evidence_id": yes.evidence_id,
    }


def _ask_others(tx: Transaction, yes: Yes, needed: Iterable[Needed]) -> None:
    """Put the decision to each group that is to say yes as well, now or after a while."""
    asked: dict[str, int] = {}
    for one in needed:
        asked[one.group] = tx.now
        if one.escalates_to:
            asked.setdefault(one.escalates_to, tx.now + one.escalates_after)
    for group, asked_from in asked.items():
        row = {"name": group, "decision_hash": yes.decided, "asked_from": asked_from}
        insert_unless_present(tx, asked_group, row)


def record_word(
    tx: Transaction,
    card: Approval,
    kind: str,
    *,
    by: str,
    yes: Yes | None = None,
    evidence_id: str | None = None,
) -> None:
    """Record what somebody said of the card.

    :param by: the id of who said it
    :param yes: where the person themselves said it
    :param evidence_id: of what they signed with a passkey, where somebody else did
    """
    salt = salt_of(tx, card.person_id)
    facts = {
        "approval_id": card.id,
        "content": commitment(salt, card.content_hash),
        "decision": commitment(salt, yes.decided if yes else card.decision_hash),
        "by": by,
    }
    if yes is not None:
        facts |= {"scope": line(yes.scope)}
        evidence_id = yes.evidence_id
    if evidence_id is not None:
        facts |= {"evidence_id": evidence_id}
    record(
        tx,
        Event(
            kind,
            person_id=card.person_id,
            agent=card.client_id,
            task_id=card.task_id,
            delegation_id=card.delegation_id,
            chain=card.chain,
            facts=facts,
        ),
    )
