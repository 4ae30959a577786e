"""Moves an agent along its status machine by compare-and-set, never read-then-write."""

from sqlalchemy import update

from ..core.db import Transaction
from .lifecycle import Status, sources
from .models import agent


def change_status(tx: Transaction, client_id: str, target: Status) -> bool:
    """Move the agent to `target`; tell whether it was in a state that leads there."""
    movable = (agent.c.client_id == client_id) & agent.c.status.in_(sources(target))
    moved = tx.execute(
        update(agent).where(movable).values(status=target, revision=agent.c.revision + 1)
    )
    return moved.rowcount == 1
