"""What every ending does: a node ends, and all below it, in the caller's transaction.

Below a node is a range of paths, whatever has ended or expired in between. An agent
spawned from an ended node is retired, and what it holds elsewhere in the task ends too.
The caller holds, exclusively, the lock of each task that is cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, select, update

from ..agents.change_status import change_status
from ..agents.lifecycle import Status
from ..agents.models import agent
from ..audit.record import Event, record
from ..core.db import Database, Kind, Lock, Transaction
from ..delegation.models import code, delegation, delegation_from_row, subtree
from ..delegation.node import Delegation
from ..tasks.models import TaskStatus, task
from .locked import held_with_tasks

#: Parameters of one statement: databases bound them.
_AT_ONCE = 500


@dataclass
class Cut:
    """What ended.

    :param nodes: how many delegations
    :param agents: the spawned agents that were retired
    """

    nodes: int = 0
    agents: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)


def cut(tx: Transaction, tops: Sequence[Delegation], why: str, by: str | None = None) -> Cut:
    """End the live ones of `tops` and all below them.

    :param why: one fixed word of the reason, e.g. `revoked`
    :param by: who ended it: a person's id or a client id
    """
    done = Cut()
    while tops:
        for top in tops:
            _end_below(tx, top, why, by, done)
        tops = _held_by(tx, _retire_spawned(tx, tops, done))
    return done


def _end_below(tx: Transaction, top: Delegation, why: str, by: str | None, done: Cut) -> None:
    low, high = subtree(top.path)
    live = and_(delegation.c.path >= low, delegation.c.path < high, delegation.c.ended_at.is_(None))
    ended = tx.execute(update(delegation).where(live).values(ended_at=tx.now, ended_why=why))
    if not ended.rowcount:
        return
    done.nodes += ended.rowcount
    facts = {"why": why, "by": by, "nodes": ended.rowcount, "chain": list(top.chain)}
    record(
        tx,
        Event(
            "delegation.ended",
            person_id=top.person_id,
            agent=top.actor,
            task_id=top.task_id,
            delegation_id=top.id,
            facts=facts,
        ),
    )
    if top.parent_id is None:
        _end_task(tx, top, why, done)


def _end_task(tx: Transaction, root: Delegation, why: str, done: Cut) -> None:
    is_open = (task.c.id == root.task_id) & (task.c.status == TaskStatus.OPEN)
    values = {"status": TaskStatus.CANCELLED, "ended_at": tx.now, "ended_why": why}
    if tx.execute(update(task).where(is_open).values(**values)).rowcount == 1:
        done.tasks.append(root.task_id)
        ended = Event("task.ended", person_id=root.person_id, task_id=root.task_id)
        record(tx, ended)


def _retire_spawned(tx: Transaction, tops: Iterable[Delegation], done: Cut) -> list[str]:
    retired = [client_id for top in tops for client_id in _retire_below(tx, top)]
    done.agents += retired
    return retired


def _retire_below(tx: Transaction, top: Delegation) -> Iterator[str]:
    low, high = subtree(top.path)
    spawned = (
        select(agent.c.client_id, delegation.c.person_id, delegation.c.task_id)
        .join(delegation, delegation.c.id == agent.c.parent_delegation_id)
        .where(delegation.c.path >= low, delegation.c.path < high)
        .where(agent.c.status != Status.RETIRED)
    )
    for row in tx.execute(spawned).all():
        if change_status(tx, row.client_id, Status.RETIRED):
            record(tx, Event("agent.retired", row.person_id, row.client_id, row.task_id))
            yield row.client_id


def _held_by(tx: Transaction, client_ids: Sequence[str]) -> list[Delegation]:
    return live_nodes_of(tx, client_ids) if client_ids else []


def withdraw_codes(tx: Transaction, of: ColumnElement[bool]) -> None:
    """Use up the codes that wait to be redeemed: what they would start has been stopped."""
    waiting = of & code.c.used_at.is_(None)
    tx.execute(update(code).where(waiting).values(used_at=tx.now))


@contextmanager
def agent_locked(db: Database, client_id: str) -> Iterator[Transaction]:
    """Open a writing transaction in which neither the agent nor its tasks can change."""

    def tasks_of(tx: Transaction) -> frozenset[str]:
        return frozenset(node.task_id for node in live_nodes_of(tx, [client_id]))

    lock = Lock(Kind.AGENT, client_id, exclusive=True)
    with held_with_tasks(db, lock, tasks_of) as tx:
        yield tx


def live_nodes_of(tx: Transaction, client_ids: Sequence[str]) -> list[Delegation]:
    """Return the delegations that these agents hold and that have not been ended."""
    found: list[Delegation] = []
    for start in range(0, len(client_ids), _AT_ONCE):
        held = select(delegation).where(
            delegation.c.actor.in_(client_ids[start : start + _AT_ONCE]),
            delegation.c.ended_at.is_(None),
        )
        found += map(delegation_from_row, tx.execute(held).mappings())
    return found
