"""Tells the organisation's own system that a task has ended: it has things to clear away, too.

The line is stored in the transaction of the end, whoever ended it and however; what is sent is
read when it is due.
"""

from collections.abc import Callable
from typing import Any

from ..audit.record import Event
from ..core.db import Transaction
from ..outbox.enqueue import enqueue
from ..outbox.models import Line
from ..settings import Settings
from ..tasks.report import find_task

#: The event that is heard, the kind of its line, and the type of what is sent.
TASK_ENDED = "task.ended"

#: Seconds for which one is tried.
TRIED = 86_400

_DESTINATION = "tasks-webhook"


def hears_of_ends(settings: Settings) -> Callable[[Transaction, Event], None]:
    """Return what hears that a task has ended."""
    return announce_end if settings.tasks.webhook.url else lambda tx, ended: None


def announce_end(tx: Transaction, ended: Event) -> None:
    """Let it be told that the event's task has ended."""
    if ended.task_id is not None:
        due = {"due_at": tx.now, "expires_at": tx.now + TRIED}
        enqueue(tx, TASK_ENDED, ended.task_id, _DESTINATION, **due)


def how_it_ended(tx: Transaction, line: Line) -> dict[str, Any] | None:
    """Return what is told of the line's task; None where that is gone."""
    of = find_task(tx, line.subject)
    if of is None:
        return None
    return {
        "task_id": of.id,
        "agent": of.agent,
        "status": of.status,
        "why": of.ended_why,
        "started_at": of.started_at,
        "ended_at": of.ended_at,
    }
