"""How often a person is asked: bounded for a tree of agents, and cooled down by a no."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select

from ..core.db import Transaction
from ..core.refusal import Refusal
from ..settings import Approvals
from .find_cards import waits
from .models import Approval, Status, approval, approval_from_row

_REFUSED = "Nobody is asked this now."


def validate_may_ask(
    tx: Transaction, opened: Approval, settings: Approvals, *, is_new: bool
) -> None:
    """Refuse what would be one question too many.

    :param is_new: whether it makes a card, and does not join one
    :raises Refusal: `approval.denied_before`, `approval.too_many`
    """
    alike = _alike(tx, opened, settings.cool_down)
    if any(card.status == Status.DENIED for card in alike):
        raise Refusal("approval.denied_before", _REFUSED)
    if is_new and _cards(alike) >= settings.max_open:
        raise too_many()
    if _today(tx, opened) >= settings.per_day:
        raise too_many()


def too_many() -> Refusal:
    return Refusal("approval.too_many", _REFUSED)


def _cards(waiting: Sequence[Approval]) -> int:
    return len({card.content_hash for card in waiting})


def _alike(tx: Transaction, opened: Approval, cool_down: int) -> list[Approval]:
    """Return what adds the same to the same root agent: open, or denied a moment ago."""
    cools = (approval.c.status == Status.DENIED) & (approval.c.decided_at > tx.now - cool_down)
    asked = select(approval).where(
        approval.c.person_id == opened.person_id,
        approval.c.root_agent == opened.root_agent,
        approval.c.target == opened.target,
        or_(waits(tx), cools),
    )
    cards = [approval_from_row(row) for row in tx.execute(asked).mappings()]
    return [card for card in cards if card.adding & opened.adding]


def _today(tx: Transaction, opened: Approval) -> int:
    """Return how often this root agent's tree asked the person in the last day."""
    asked = select(func.count()).where(
        approval.c.person_id == opened.person_id,
        approval.c.root_agent == opened.root_agent,
        approval.c.created_at > tx.now - 86_400,
    )
    return int(tx.execute(asked).scalar_one())
