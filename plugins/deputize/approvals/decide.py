"""The person decides: yes, less, or no. About exactly what was shown, once.

Everything is looked at again: a card under a delegation that has ended is past deciding.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from sqlalchemy import update

from ..audit.record import Event, record
from ..core.db import Transaction, insert_unless_present
from ..core.values import line
from ..delegation.context import Context
from ..delegation.details import write_details
from ..delegation.issue import locks_of
from ..delegation.liveness import find_standing, why_dead
from ..passkeys.use import keep_evidence
from .approvers import Needed, needed_by
from .find_cards import shown_as_one
from .grant_less import Yes
from .models import Approval, Status, approval, asked_group
from .rules import believed, is_strong_enough, rules_of
from .tell import tell_groups


class Outcome(StrEnum):
    """What became of a decision."""

    DONE = "done"
    CHANGED = "changed"
    OVER = "over"
    SIGN_IN = "sign in"


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
    with context.db.write(locks_of(standing.node)) as tx:
        standing = find_standing(tx, card.delegation_id)
        # A no is a no, whatever has become of what the card hangs on.
        if not card.is_open(tx.now) or (yes and why_dead(standing, tx.now)):
            return Outcome.OVER
        if content_hash != card.content_hash:
            return Outcome.CHANGED
        rules = rules_of(context.moment(tx).catalogue, card.adding & yes.scope) if yes else []
        if yes and not is_strong_enough(rules, yes.authentication, tx.now):
            return Outcome.SIGN_IN
        needed, asking = needed_by(rules), shown_as_one(tx, card)
        if not _store(tx, card, yes, is_last_word=not needed):
            return Outcome.CHANGED
        if yes is not None:
            _ask_others(tx, yes, needed)
            tell_groups(context, tx, card, needed)
        if yes is not None and yes.signed is not None:
            keep_evidence(tx, yes.signed)
        for one in asking:
            record_word(tx, one, _word(yes, bool(needed)), by=card.person_id, yes=yes)
    return Outcome.DONE


def _word(yes: Yes | None, asks_others: bool) -> str:
    if yes is None:
        return "approval.denied"
    return "approval.voted" if asks_others else "approval.approved"


def _believed(context: Context, yes: Yes) -> Yes:
    passkey_acr = context.settings.approvals.passkey_acr
    told = believed(yes.authentication, yes.signed is not None, passkey_acr)
    return replace(yes, authentication=told)


def _store(tx: Transaction, card: Approval, yes: Yes | None, *, is_last_word: bool) -> bool:
    """Store the decision for all that are shown as one with `card`; tell whether it still was."""
    as_shown = (
        (approval.c.person_id == card.person_id)
        & (approval.c.status == Status.PENDING)
        & (approval.c.content_hash == card.content_hash)
        & (approval.c.expires_at > tx.now)
    )
    values: dict[str, object] = {"status": Status.DENIED, "decided_at": tx.now}
    if yes is not None:
        # Said once: what others are asked about does not change under them.
        as_shown &= approval.c.decision_hash.is_(None)
        values |= {
            "status": Status.APPROVED if is_last_word else Status.PENDING,
            "decision_hash": yes.decided,
            "granted_scope": line(yes.scope),
            "granted_details": write_details(yes.details),
            "granted_lifetime": yes.lifetime,
            "auth_time": yes.authentication.auth_time,
            "acr": yes.authentication.acr,
            "amr": " ".join(yes.authentication.amr),
            "evidence_id": yes.evidence_id,
        }
    return tx.execute(update(approval).where(as_shown).values(**values)).rowcount > 0


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
    facts = {
        "approval_id": card.id,
        "content_hash": card.content_hash,
        "decision_hash": yes.decided if yes else card.decision_hash,
        "chain": list(card.chain),
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
            facts=facts,
        ),
    )
