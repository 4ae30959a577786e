"""Which cards a person finds: what waits for their word, what came to nothing, what they decided.

One card may hold the same question of several agents: those share its `content_hash`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, select

from ..core.db import Transaction
from ..core.values import is_id
from ..delegation.liveness import Standing, why_dead
from ..delegation.models import delegation, person
from .models import Approval, Status, approval, approval_from_row

#: What a person's word has led to.
DECIDED = (Status.APPROVED, Status.REDEEMED, Status.DENIED)

#: Approvals that are shown as one, the oldest first.
Card = tuple[Approval, ...]


def find_card(tx: Transaction, approval_id: str, person_key: str) -> Approval | None:
    """Return the approval, if it was put to this person."""
    if not is_id(approval_id):
        return None
    row = tx.execute(_of(person_key).where(approval.c.id == approval_id)).mappings().first()
    return approval_from_row(row) if row else None


def open_cards(tx: Transaction, person_key: str, limit: int) -> list[Card]:
    """Return what waits for this person, the oldest first: nothing pushes a card away."""
    return oldest_cards(tx, _of(person_key).where(undecided(tx)), limit, by="content_hash")


def oldest_cards(tx: Transaction, asked: Select[Any], limit: int, by: str) -> list[Card]:
    """Return the cards of the `limit` oldest of `asked`, each of them whole.

    :param by: as for `as_cards`
    """
    oldest = asked.order_by(approval.c.created_at, approval.c.id)
    rows = tx.execute(oldest.limit(limit)).mappings().all()
    if len(rows) == limit:
        # One that was cut would not name all for whom it is decided.
        hashes = {row[by] for row in rows}
        rows = tx.execute(oldest.where(approval.c[by].in_(hashes))).mappings().all()
    return as_cards(map(approval_from_row, rows), by)


def as_cards(asked: Iterable[Approval], by: str) -> list[Card]:
    """Return `asked` as it is shown: those that have the same hash are one card.

    :param by: the name of the hash: `content_hash` or `decision_hash`
    """
    cards: dict[str, Card] = {}
    for one in asked:
        name = getattr(one, by)
        cards[name] = (*cards.get(name, ()), one)
    return list(cards.values())


def shown_as_one(tx: Transaction, card: Approval) -> Card:
    """Return all that is decided with `card`."""
    same = select(approval).where(is_shown_with(tx, card))
    rows = tx.execute(same.order_by(approval.c.created_at, approval.c.id)).mappings()
    return tuple(map(approval_from_row, rows))


def is_shown_with(tx: Transaction, card: Approval) -> ColumnElement[bool]:
    """Return the condition for all that are shown as one with `card`, as long as they are."""
    same = approval.c.content_hash == card.content_hash
    return waits(tx) & same & (approval.c.person_id == card.person_id)


def waits(tx: Transaction) -> ColumnElement[bool]:
    """Return the condition for what still waits for somebody's word."""
    return (approval.c.status == Status.PENDING) & (approval.c.expires_at > tx.now)


def undecided(tx: Transaction) -> ColumnElement[bool]:
    """Return the condition for what waits for the person's own."""
    return waits(tx) & approval.c.decision_hash.is_(None)


def shown(cards: Iterable[Card], standings: Mapping[str, Standing], now: int) -> list[Card]:
    """Return what of `cards` can be decided: it waits, and what it hangs on lives.

    :param standings: by delegation id
    """
    left = (tuple(one for one in card if _can_be_decided(one, standings, now)) for card in cards)
    return [card for card in left if card]


def _can_be_decided(one: Approval, standings: Mapping[str, Standing], now: int) -> bool:
    return one.is_open(now) and why_dead(standings.get(one.delegation_id), now) is None


def late_cards(tx: Transaction, person_key: str, seconds: int, limit: int) -> list[Approval]:
    """Return what nobody decided in time, within the last `seconds`, the newest first."""
    nobody = (
        approval.c.status.in_((Status.PENDING, Status.EXPIRED)),
        approval.c.decision_hash.is_(None),
    )
    over = (approval.c.expires_at <= tx.now) & (approval.c.expires_at > tx.now - seconds)
    asked = _of(person_key).where(*nobody, over)
    newest = asked.order_by(approval.c.expires_at.desc(), approval.c.id).limit(limit)
    return [approval_from_row(row) for row in tx.execute(newest).mappings()]


def decided_cards(tx: Transaction, person_key: str, limit: int) -> list[Approval]:
    """Return what this person decided, the newest first."""
    decided = approval.c.status.in_(DECIDED) | approval.c.decision_hash.is_not(None)
    asked = _of(person_key).where(decided)
    newest = asked.order_by(approval.c.decided_at.desc(), approval.c.id).limit(limit)
    return [approval_from_row(row) for row in tx.execute(newest).mappings()]


def count_open(tx: Transaction, person_key: str, below: str = "") -> int:
    """Return how many cards wait for the person.

    :param below: the path of a node: of those at and below it alone
    """
    waiting = (
        select(func.count(distinct(approval.c.content_hash)))
        .join_from(approval, person, person.c.id == approval.c.person_id)
        .join(delegation, delegation.c.id == approval.c.delegation_id)
        .where(
            person.c.host_key == person_key,
            undecided(tx),
            delegation.c.ended_at.is_(None),
            delegation.c.path.startswith(below, autoescape=True),
        )
    )
    return int(tx.execute(waiting).scalar_one())


def _of(person_key: str) -> Select[Any]:
    mine = select(approval).join(person, person.c.id == approval.c.person_id)
    return mine.where(person.c.host_key == person_key)
