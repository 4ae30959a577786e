"""Somebody else's word on what the person has approved, where a rule asks for it.

They say yes or no to exactly what the person decided. The first no ends it; the yes that
makes the quorum approves it, in one transaction, with all votes looked at again.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update

from ..core.db import Transaction, insert_unless_present
from ..core.values import is_id
from ..delegation.context import Context
from ..delegation.issue import Overtaken, locks_of
from ..delegation.liveness import find_standing, why_dead
from ..delegation.models import person
from ..delegation.persons import ensure_person
from ..host import Authentication, Person
from .approvers import ballots_of, entitled, excluded_from, is_asked, is_quorum, needed_by
from .decide import Outcome, record_word
from .expect import tell_now
from .models import Approval, Status, approval, approval_from_row, asked_group, vote
from .rules import is_strong_enough, rules_of

#: Votes that were overtaken before one is given up: each needs another vote in between.
ATTEMPTS = 5


def cards_asked_of(tx: Transaction, someone: Person, limit: int) -> list[Approval]:
    """Return what waits for a group of theirs, and not for their own vote, oldest first."""
    oldest = _asked_of(tx, someone).order_by(approval.c.created_at, approval.c.id).limit(limit)
    cards = [approval_from_row(row) for row in tx.execute(oldest).mappings()]
    return [card for card in cards if someone.key not in excluded_from(tx, card)]


def find_asked(tx: Transaction, approval_id: str, someone: Person) -> Approval | None:
    """Return the card, if it waits for their vote."""
    if not is_id(approval_id):
        return None
    this = _asked_of(tx, someone).where(approval.c.id == approval_id)
    row = tx.execute(this).mappings().first()
    card = approval_from_row(row) if row else None
    return card if card and someone.key not in excluded_from(tx, card) else None


def _asked_of(tx: Transaction, someone: Person) -> Select[Any]:
    asked = select(asked_group.c.approval_id).where(
        asked_group.c.approval_id == approval.c.id,
        asked_group.c.name.in_(sorted(someone.groups)),
        asked_group.c.asked_from <= tx.now,
    )
    voted = (
        select(vote.c.approval_id)
        .join(person, person.c.id == vote.c.person_id)
        .where(vote.c.approval_id == approval.c.id, person.c.host_key == someone.key)
    )
    return select(approval).where(
        approval.c.status == Status.PENDING,
        approval.c.decision_hash.is_not(None),
        approval.c.expires_at > tx.now,
        asked.exists(),
        ~voted.exists(),
    )


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on a card.

    :param shown: the hash of the decision that they saw
    :param authentication: how and when they signed in
    """

    card: Approval
    shown: str
    someone: Person
    authentication: Authentication
    is_yes: bool

    def cast(self, context: Context) -> Outcome:
        """Store the vote, and what comes of it."""
        for _ in range(ATTEMPTS):
            with suppress(Overtaken):
                return self._cast(context)
        return Outcome.CHANGED

    def _cast(self, context: Context) -> Outcome:
        with context.db.read() as tx:
            standing = find_standing(tx, self.card.delegation_id)
            excluded = excluded_from(tx, self.card)
            before = {ballot.key for ballot in ballots_of(tx, self.card)}
        # What the host says of all who have voted comes before our own transaction.
        voters = entitled(context.host, before | {self.someone.key}, excluded)
        if standing is None or self.someone.key not in {voter.key for voter in voters}:
            return Outcome.OVER
        with context.db.write(locks_of(standing.node)) as tx:
            if not self._hold(tx):
                return Outcome.OVER
            if {ballot.key for ballot in ballots_of(tx, self.card)} != before:
                raise Overtaken
            return self._decide(context, tx, voters)

    def _hold(self, tx: Transaction) -> bool:
        """Lock the row against other votes, if it still waits for votes on what was seen."""
        waits = (
            (approval.c.id == self.card.id)
            & (approval.c.status == Status.PENDING)
            & (approval.c.decision_hash == self.shown)
            & (approval.c.expires_at > tx.now)
        )
        held = update(approval).where(waits).values(decision_hash=self.shown)
        return tx.execute(held).rowcount == 1

    def _decide(self, context: Context, tx: Transaction, voters: list[Person]) -> Outcome:
        card, waited = self.card, tx.now - self.card.created_at
        rules = rules_of(context.moment(tx).catalogue, card.granted_scope & card.adding)
        needed, told = needed_by(rules), self.authentication
        if not is_asked(needed, self.someone, waited):
            return Outcome.OVER
        if self.is_yes and why_dead(find_standing(tx, card.delegation_id), tx.now):
            return Outcome.OVER
        if self.is_yes and not is_strong_enough(rules, told.acr, told.auth_time, tx.now):
            return Outcome.SIGN_IN
        voter_id = self._store(tx)
        if not self.is_yes:
            _close(tx, card, "approval.denied", voter_id, status=Status.DENIED, decided_at=tx.now)
            return Outcome.DONE
        record_word(tx, card, "approval.voted", by=voter_id)
        if is_quorum(needed, voters, waited):
            _close(tx, card, "approval.approved", voter_id, status=Status.APPROVED)
        return Outcome.DONE

    def _store(self, tx: Transaction) -> str:
        """Store the vote; return the id of who cast it.

        :raises Overtaken: where they had voted meanwhile
        """
        voter_id = ensure_person(tx, self.someone.key)
        row = {
            "approval_id": self.card.id,
            "person_id": voter_id,
            "decision_hash": self.shown,
            "voted_at": tx.now,
            "auth_time": self.authentication.auth_time,
            "acr": self.authentication.acr,
        }
        if not insert_unless_present(tx, vote, row):
            raise Overtaken
        return voter_id


def _close(tx: Transaction, card: Approval, kind: str, by: str, **values: object) -> None:
    tx.execute(update(approval).where(approval.c.id == card.id).values(**values))
    tell_now(tx, card.id)
    record_word(tx, card, kind, by=by)
