"""Moves tasks along their status machine by compare-and-set, never read-then-write."""

from typing import Any

from sqlalchemy import ColumnElement, true, update

from ..core.db import Transaction
from .lifecycle import TaskStatus, sources
from .models import task


def change_status(
    tx: Transaction,
    task_id: str,
    target: TaskStatus,
    *,
    where: ColumnElement[bool] | None = None,
    **values: Any,
) -> bool:
    """Move the task to `target`; tell whether it was in a state that leads there.

    :param where: what must hold of its row besides
    :param values: what else is written with it
    """
    movable = (task.c.id == task_id) & task.c.status.in_(sources(target))
    movable &= true() if where is None else where
    moved = update(task).where(movable).values(status=target, **values)
    return tx.execute(moved).rowcount == 1
