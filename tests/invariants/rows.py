"""What is in the database after a step of a history, read at one time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from deputize.agents.models import Agent, agent, agent_from_row
from deputize.core.db import Database, Transaction
from deputize.core.values import Words
from deputize.delegation.models import delegation, delegation_from_row, person, quota
from deputize.delegation.node import Delegation
from deputize.delegation.quotas import ELEVATED, EXCHANGES, SPAWNED
from deputize.tasks.lifecycle import TaskStatus
from deputize.tasks.models import Task, task

BUDGET = (EXCHANGES, SPAWNED, ELEVATED)


@dataclass(frozen=True)
class Rows:
    """The rows of one history, each by its id.

    :param left: the host's keys of the people who have left
    :param used: how much is drawn, by the name of the quota
    :param approved: what a person approved for exactly that node
    """

    now: int
    nodes: Mapping[str, Delegation] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    persons: Mapping[str, str] = field(default_factory=dict)
    left: Words = frozenset()
    used: Mapping[str, int] = field(default_factory=dict)
    approved: Mapping[str, Words] = field(default_factory=dict)

    def is_open(self, task_id: str) -> bool:
        """Tell whether anything of the task can be alive: nobody and no time has ended it."""
        of = self.tasks[task_id]
        return of.status == TaskStatus.OPEN and of.runs_at(self.now)

    def is_alive(self, node: Delegation) -> bool:
        in_time = node.ended_at is None and self.now < node.expires_at
        return in_time and self.is_open(node.task_id)


def read_rows(db: Database, prefix: str) -> Rows:
    """Read what is of one history: all that it made has a name that begins so."""
    with db.read() as tx:
        tasks = _tasks(tx, prefix)
        persons = tx.execute(
            select(person.c.id, person.c.host_key, person.c.status).where(
                person.c.host_key.startswith(prefix)
            )
        ).all()
        return Rows(
            now=tx.now,
            nodes=_nodes(tx, tasks),
            agents=_agents(tx, prefix),
            tasks=tasks,
            persons={row.id: row.status for row in persons},
            left=frozenset(row.host_key for row in persons if row.status != "active"),
            used=_used(tx, tasks),
        )


def _tasks(tx: Transaction, prefix: str) -> dict[str, Task]:
    found = tx.execute(select(task).where(task.c.agent.startswith(prefix))).mappings()
    return {row["id"]: Task(**row) for row in found}


def _nodes(tx: Transaction, tasks: Mapping[str, Task]) -> dict[str, Delegation]:
    found = tx.execute(select(delegation).where(delegation.c.task_id.in_(tasks))).mappings()
    return {row["id"]: delegation_from_row(row) for row in found}


def _agents(tx: Transaction, prefix: str) -> dict[str, Agent]:
    found = tx.execute(select(agent).where(agent.c.client_id.startswith(prefix))).mappings()
    return {row["client_id"]: agent_from_row(row) for row in found}


def _used(tx: Transaction, tasks: Mapping[str, Task]) -> dict[str, int]:
    names = [f"{of.name}:{task_id}" for task_id in tasks for of in BUDGET]
    found = tx.execute(select(quota).where(quota.c.name.in_(names)))
    return {row.name: row.used for row in found}
