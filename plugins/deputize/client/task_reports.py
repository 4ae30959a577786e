"""What the root agent reads of its task, and reports on it: the tasks endpoint.

By its own hold, as a bearer token (RFC 6750 §2.1) with the scope `tasks`, and about the task that
the token names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from .connection import Connection, read_answer
from .errors import ProtocolError
from .flow import Ask, Flow
from .lease import Lease

TASKS = "tasks"
TASKS_ENDPOINT = "tasks_endpoint"
OPEN = "open"

#: What can have come of a task.
Outcome: TypeAlias = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a thing was done in a task, and how often it may be."""

    used: int
    most: int

    @property
    def left(self) -> int:
        return max(0, self.most - self.used)


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the server tells its agent of it. Its times are the server's.

    :param status: `open`; `proposed`, while the person has not accepted its end; or the end:
        `completed`, `failed`, `cancelled`, `overdue`
    :param completion: who accepts the end that the agent proposes: `at_once` or `person`
    :param budget: of `exchanges`, `spawned` and `elevated`, over all agents of the task
    :param outcome: what the agent has proposed
    :param heard_by: until when it must report again; None where it need not
    :param asked_until: the later deadline that the agent asked for, while that is not answered
    """

    task_id: str
    status: str
    purpose: str
    started_at: datetime
    deadline: datetime
    completion: str
    budget: Mapping[str, Budget]
    outcome: str | None = None
    heard_by: datetime | None = None
    asked_until: datetime | None = None
    ended_at: datetime | None = None


def report(connection: Connection, held: Lease, **said: str | int) -> Flow[Task]:
    """Say something of the task that `held` is for, or nothing; return how it stands then.

    :raises OAuthError: when the server refuses (RFC 6750 §3.1)
    :raises ValueError: when the token is for no task
    """
    task_id = held.claims.get("task_id")
    if not isinstance(task_id, str):
        raise ValueError("only a token that a person stands behind is for a task")
    url = f"{connection.metadata.get_endpoint(TASKS_ENDPOINT)}/{quote(task_id, safe='')}"
    headers = {"Authorization": f"Bearer {held.value}"}
    asked = Ask("POST" if said else "GET", url, json=said or None, headers=headers)
    return _task_in(read_answer((yield asked)))


def _task_in(answer: Mapping[str, Any]) -> Task:
    try:
        return Task(
            task_id=str(answer["task_id"]),
            status=str(answer["status"]),
            purpose=str(answer["purpose"]),
            started_at=_time(answer["started_at"]),
            deadline=_time(answer["deadline"]),
            completion=str(answer["completion"]),
            budget={name: Budget(**told) for name, told in answer["budget"].items()},
            outcome=answer.get("outcome"),
            heard_by=_maybe_time(answer.get("heard_by")),
            asked_until=_maybe_time(answer.get("asked_until")),
            ended_at=_maybe_time(answer.get("ended_at")),
        )
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise ProtocolError("the answer tells of no task") from None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)
