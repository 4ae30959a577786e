"""Moves agents along their status machine by compare-and-set, never read-then-write."""

from sqlalchemy import ColumnElement, update

from ..core.db import Transaction
from .lifecycle import Status, sources
from .models import agent


def change_status(tx: Transaction, client_id: str, target: Status) -> bool:
    """Move the agent to `target`; tell whether it was in a state that leads there."""
    return len(change_statuses(tx, agent.c.client_id == client_id, target)) == 1


def change_statuses(
    tx: Transaction, which: ColumnElement[bool], target: Status
) -> list[tuple[str, str | None]]:
    """Move every agent that `which` picks and that is in a state that leads to `target`.

    Return the client id and task of each that moved.
    """
    movable = which & agent.c.status.in_(sources(target))
    moved = update(agent).where(movable).values(status=target, revision=agent.c.revision + 1)
    rows = tx.execute(moved.returning(agent.c.client_id, agent.c.task_id))
    return [(row.client_id, row.task_id) for row in rows]
