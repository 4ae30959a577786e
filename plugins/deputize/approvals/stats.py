"""How often people are asked, and how soon they answer: what tells fatigue from care.

What siblings ask by one card is one question: it was put to the person once.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from sqlalchemy import select

from ..core.db import Transaction
from .models import Status, approval

#: The name of the row for all agents.
ALL = "all"

_TOLD = (
    "root_agent", "task_id", "content_hash", "status", "created_at", "expires_at", "decided_at",
    "scope", "granted_scope", "details", "granted_details", "lifetime", "granted_lifetime",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What one root agent's tasks have put to people.

    :param per_task: questions of a task: the median, and the most
    :param seconds: from question to answer: the median, and the 95th percentile; None where
        nobody answered
    """

    agent: str
    tasks: int
    questions: int
    per_task: tuple[float, int]
    yes: int
    less: int
    no: int
    unanswered: int
    waiting: int
    seconds: tuple[float, float] | None


def stats(tx: Transaction, since: int) -> list[Asked]:
    """Return what was asked from `since` (NumericDate) on: by root agent, then of all."""
    asked = select(*(approval.c[name] for name in _TOLD)).where(
        approval.c.created_at >= since, approval.c.repeats.is_(None)
    )
    # One of each card: the siblings on it were answered alike.
    cards = {row["content_hash"]: row for row in tx.execute(asked).mappings()}
    by_agent: dict[str, list[Any]] = {}
    for row in cards.values():
        by_agent.setdefault(row["root_agent"], []).append(row)
    told = [_asked(agent, rows, tx.now) for agent, rows in sorted(by_agent.items())]
    return [*told, _asked(ALL, cards.values(), tx.now)] if told else []


def _asked(agent: str, rows: Iterable[Any], now: int) -> Asked:
    rows = list(rows)
    per_task = Counter(row["task_id"] for row in rows)
    came_to = Counter(_answer(row, now) for row in rows)
    waited = [row["decided_at"] - row["created_at"] for row in rows if row["decided_at"]]
    return Asked(
        agent=agent,
        tasks=len(per_task),
        questions=len(rows),
        per_task=(median(per_task.values()), max(per_task.values())),
        seconds=(median(waited), _p95(waited)) if waited else None,
        **{name: came_to[name] for name in ("yes", "less", "no", "unanswered", "waiting")},
    )


def _answer(row: Any, now: int) -> str:
    if row["status"] == Status.DENIED:
        return "no"
    if row["decided_at"] is not None:
        asked = (row["scope"], row["details"], row["lifetime"])
        granted = (row["granted_scope"], row["granted_details"], row["granted_lifetime"])
        return "yes" if granted == asked else "less"
    is_open = row["status"] == Status.PENDING and now < row["expires_at"]
    return "waiting" if is_open else "unanswered"


def _p95(waited: list[int]) -> float:
    return quantiles(waited, n=20, method="inclusive")[-1] if len(waited) > 1 else float(waited[0])
