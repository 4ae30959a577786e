"""Somebody else's word on what the person has approved, where a rule asks for it.

They say yes or no to exactly what the person decided. The first no ends it; the yes that
makes the quorum approves it, in one transaction, with all votes looked at again.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update

from ..core.db import Kind, Lock, Transaction, insert_unless_present
from ..core.values import is_id
from ..delegation.context import Context
from ..delegation.issue import Overtaken, locks_alone
from ..delegation.liveness import find_standing, why_dead
from ..delegation.models import person
from ..delegation.node import Delegation
from ..delegation.persons import ensure_person
from ..host import Authentication, Person
from ..passkeys.relying_party import Assertion
from ..passkeys.use import keep_evidence
from .allowed import is_forbidden
from .approvers import (
    ballots_of,
    entitled,
    excluded_from,
    excluded_from_each,
    is_asked,
    is_quorum,
    needed_by,
)
from .decide import Outcome, record_word
from .expect import tell_now
from .find_cards import Card, oldest_cards, waits
from .models import Approval, Status, approval, approval_from_row, asked_group, vote
from .rules import believed, is_strong_enough, rules_of

#: Votes that were overtaken before one is given up: each needs another vote in between.
ATTEMPTS = 5


def cards_asked_of(tx: Transaction, someone: Person, limit: int) -> list[Card]:
    """Return what waits for a group of theirs, and not for their own vote, oldest first."""
    cards = oldest_cards(tx, _asked_of(tx, someone), limit, by="decision_hash")
    excluded = excluded_from_each(tx, cards)
    return [card for card, keys in zip(cards, excluded, strict=True) if someone.key not in keys]


def find_asked(tx: Transaction, approval_id: str, someone: Person) -> Approval | None:
    """Return the card, if it waits for their vote."""
    if not is_id(approval_id):
        return None
    this = _asked_of(tx, someone).where(approval.c.id == approval_id)
    row = tx.execute(this).mappings().first()
    card = approval_from_row(row) if row else None
    return card if card and someone.key not in excluded_from(tx, decided_with(tx, card)) else None


def _asked_of(tx: Transaction, someone: Person) -> Select[Any]:
    asked = select(asked_group.c.name).where(
        asked_group.c.decision_hash == approval.c.decision_hash,
        asked_group.c.name.in_(sorted(someone.groups)),
        asked_group.c.asked_from <= tx.now,
    )
    voted = (
        select(vote.c.person_id)
        .join(person, person.c.id == vote.c.person_id)
        .where(vote.c.decision_hash == approval.c.decision_hash, person.c.host_key == someone.key)
    )
    return select(approval).where(_seconding(tx), asked.exists(), ~voted.exists())


def _seconding(tx: Transaction) -> ColumnElement[bool]:
    """Return the condition for what waits for others, beside the person."""
    return waits(tx) & approval.c.decision_hash.is_not(None)


def decided_with(tx: Transaction, card: Approval) -> Card:
    """Return all that the person decided by the same word as `card`, and that still wait."""
    same = select(approval).where(_seconding(tx), approval.c.decision_hash == card.decision_hash)
    return tuple(map(approval_from_row, tx.execute(same.order_by(approval.c.id)).mappings()))


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on a card.

    :param shown: the hash of the decision that they saw
    :param authentication: how and when they signed in
    :param signed: with which they signed that hash, where they did
    """

    card: Approval
    shown: str
    someone: Person
    authentication: Authentication
    is_yes: bool
    signed: Assertion | None = None

    def cast(self, context: Context) -> Outcome:
        """Store the vote, and what comes of it.

        :raises Refusal: `passkey.*`, where what they signed it with is not good any more
        """
        for _ in range(ATTEMPTS):
            with suppress(Overtaken):
                return self._cast(context)
        return Outcome.CHANGED

    def _cast(self, context: Context) -> Outcome:
        with context.db.read() as tx:
            standing = find_standing(tx, self.card.delegation_id)
            excluded = excluded_from(tx, [self.card, *decided_with(tx, self.card)])
            before = {ballot.key for ballot in ballots_of(tx, self.card)}
        # What the host says of all who have voted comes before our own transaction.
        voters = entitled(context.host, before | {self.someone.key}, excluded)
        if standing is None or self.someone.key not in {voter.key for voter in voters}:
            return Outcome.OVER
        if self.is_yes and is_forbidden(context, self.card, standing):
            return Outcome.FORBIDDEN
        with context.db.write(self._locks(standing.node)) as tx:
            asking = decided_with(tx, self.card)
            if self.shown != self.card.decision_hash or self.card.id not in _ids(asking):
                return Outcome.OVER
            if {ballot.key for ballot in ballots_of(tx, self.card)} != before:
                raise Overtaken
            return self._decide(context, tx, asking, voters)

    def _locks(self, node: Delegation) -> list[Lock]:
        # Who signs, too: a removal of the passkey waits, or is over.
        signer = [Lock(Kind.PERSON, self.signed.challenge.person_id)] if self.signed else []
        # Votes are counted one at a time.
        return [*locks_alone(node), *signer]

    def _decide(
        self, context: Context, tx: Transaction, asking: Card, voters: list[Person]
    ) -> Outcome:
        card, waited = self.card, tx.now - (self.card.decided_at or 0)
        rules = rules_of(context.moment(tx).catalogue, card.granted_scope & card.adding)
        passkey_acr = context.settings.approvals.passkey_acr
        told = believed(self.authentication, self.signed is not None, passkey_acr)
        needed = needed_by(rules)
        if not is_asked(needed, self.someone, waited):
            return Outcome.OVER
        if self.is_yes and why_dead(find_standing(tx, card.delegation_id), tx.now):
            return Outcome.OVER
        if self.is_yes and not is_strong_enough(rules, told, tx.now):
            return Outcome.SIGN_IN
        voter_id = self._store(tx, told)
        if not self.is_yes:
            _close(tx, asking, voter_id, Status.DENIED, decided_at=tx.now)
            return Outcome.DONE
        for one in asking:
            record_word(tx, one, "approval.voted", by=voter_id, evidence_id=self._evidence_id)
        if is_quorum(needed, voters, waited):
            _close(tx, asking, voter_id, Status.APPROVED)
        return Outcome.DONE

    @property
    def _evidence_id(self) -> str | None:
        return self.signed.id if self.signed else None

    def _store(self, tx: Transaction, told: Authentication) -> str:
        """Store the vote; return the id of who cast it.

        :raises Overtaken: where they had voted meanwhile
        """
        voter_id = ensure_person(tx, self.someone.key)
        row = {
            "decision_hash": self.shown,
            "person_id": voter_id,
            "voted_at": tx.now,
            "auth_time": told.auth_time,
            "acr": told.acr,
            "evidence_id": self._evidence_id,
        }
        if not insert_unless_present(tx, vote, row):
            raise Overtaken
        if self.signed is not None:
            keep_evidence(tx, self.signed)
        return voter_id


def _close(tx: Transaction, asking: Card, by: str, status: Status, **values: object) -> None:
    """Give them the status.

    :raises Overtaken: where one has another by now: a passkey of somebody else's was removed
    """
    those = approval.c.id.in_(_ids(asking)) & (approval.c.status == Status.PENDING)
    closing = update(approval).where(those).values(status=status, **values)
    if tx.execute(closing).rowcount != len(asking):
        raise Overtaken
    tell_now(tx, _ids(asking))
    for one in asking:
        record_word(tx, one, f"approval.{status}", by=by)


def _ids(asking: Card) -> list[str]:
    return [one.id for one in asking]
