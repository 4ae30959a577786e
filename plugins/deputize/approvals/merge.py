"""The same question of siblings becomes one card: one answer, and a token for each.

What the card shows names all who ask, so that whoever joins changes what is decided about:
soon, or not at all, and until the first has waited long enough. Else those who come and go
could keep it changing for as long as they like, and nobody could ever press.
Never for what is used up or good for one use: each of those is a question of its own.
"""

from dataclasses import replace

from sqlalchemy import select, update

from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..core.values import line
from ..delegation.models import delegation
from ..delegation.node import Delegation
from .content import content_hash
from .find_cards import Card, as_cards, undecided
from .models import Approval, approval, approval_from_row, approval_to_row

#: Agents that ask by one card: as many as a person can read.
MOST = 20

#: Seconds after the first in which others may join it.
JOINING = 60

#: What makes two questions the same.
_SAME = ("person_id", "task_id", "root_agent", "target", "scope", "details", "held", "lifetime")


def can_be_merged(catalogue: Catalogue, opened: Approval) -> bool:
    """Tell whether one yes to several of the same is what it seems."""
    is_once = any(catalogue.scopes[n].single_use for n in opened.scope if n in catalogue.scopes)
    return not is_once and not any(catalogue.types[d["type"]].consumable for d in opened.details)


def find_same(tx: Transaction, opened: Approval, node: Delegation) -> Card:
    """Return the card by which siblings ask the same; empty where there is none.

    :param node: what the asker of `opened` holds
    """
    row = approval_to_row(opened)
    asked = (
        select(approval)
        .join(delegation, delegation.c.id == approval.c.delegation_id)
        .where(
            *(approval.c[name].is_not_distinct_from(row[name]) for name in _SAME),
            undecided(tx),
            delegation.c.ended_at.is_(None),
            delegation.c.scope == line(node.scope),
        )
        .order_by(approval.c.created_at, approval.c.id)
    )
    found = map(approval_from_row, tx.execute(asked).mappings())
    cards = as_cards(found, by="content_hash")
    return next((card for card in cards if _has_room(card, opened)), ())


def _has_room(card: Card, opened: Approval) -> bool:
    """Each delegation is in it once: one yes gives none of them two tokens."""
    is_in = any(one.delegation_id == opened.delegation_id for one in card)
    is_young = opened.created_at < card[0].created_at + JOINING
    return len(card) < MOST and is_young and not is_in


def joined(tx: Transaction, card: Card, opened: Approval) -> Approval:
    """Make `opened` one more who asks by `card`; return it, to be stored."""
    opened = replace(opened, expires_at=min(opened.expires_at, card[0].expires_at))
    hashed = content_hash((*card, opened))
    those = approval.c.id.in_([one.id for one in card])
    tx.execute(update(approval).where(those).values(content_hash=hashed))
    return replace(opened, content_hash=hashed)
