"""Tasks that wait for their person: the agent says that one is over, or asks for more time."""

from typing import Any

from sqlalchemy import Row, select

from ..agents.models import agent
from ..core.db import Transaction
from ..delegation.models import person
from ..tasks.lifecycle import TaskStatus
from ..tasks.models import task
from ..tasks.report import is_in_time


def find_waiting_tasks(tx: Transaction, person_key: str, limit: int) -> list[Row[Any]]:
    """Return id, agent, its name, and the outcome where that is proposed; the one with the least
    time left first."""
    asks = (task.c.status == TaskStatus.OPEN) & task.c.asked_until.is_not(None)
    waiting = (
        select(task.c.id, task.c.agent, task.c.proposed, agent.c.name)
        .join(person, person.c.id == task.c.person_id)
        .outerjoin(agent, agent.c.client_id == task.c.agent)
        .where(person.c.host_key == person_key, is_in_time(tx.now))
        .where(asks | (task.c.status == TaskStatus.PROPOSED))
        .order_by(task.c.deadline, task.c.id)
    )
    return list(tx.execute(waiting.limit(limit)))
