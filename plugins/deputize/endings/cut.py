"""What every ending does: a node ends, and all below it, in the caller's transaction.

Below a node is a range of paths, whatever has ended or expired in between. An agent
spawned from an ended node is retired, and what it holds elsewhere in the task ends too.
The caller holds, exclusively, the lock of each task that is cut.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, bindparam, select, update

from ..agents.change_status import change_statuses
from ..agents.lifecycle import Status
from ..agents.models import agent
from ..audit.record import Event, record_all
from ..core.db import Database, Kind, Lock, Prepared, Transaction
from ..delegation.models import code, delegation, delegation_from_row, subtree
from ..delegation.node import Delegation
from ..tasks.lifecycle import TaskStatus, sources
from ..tasks.models import task
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

    def add(self, other: "Cut") -> None:
        """Count what ended elsewhere, too."""
        self.nodes += other.nodes
        self.agents += other.agents
        self.tasks += other.tasks


def cut(tx: Transaction, tops: Sequence[Delegation], why: str, by: str | None = None) -> Cut:
    """End the live ones of `tops` and all below them.

    :param why: one fixed word of the reason, e.g. `revoked`
    :param by: who ended it: a person's id or a client id
    """
    done = Cut()
    while tops:
        ended = _end_below(tx, _uppermost(tops), why, by, done)
        _end_tasks(tx, [top for top in ended if top.parent_id is None], why, done)
        tops = live_nodes_of(tx, _retire_spawned(tx, tops, done))
    return done


def _uppermost(tops: Sequence[Delegation]) -> Iterator[Delegation]:
    """Yield those that lie below no other."""
    above = "/"
    for top in sorted(tops, key=lambda node: node.path):
        if not top.path.startswith(above):
            above = top.path
            yield top


def _end_below(
    tx: Transaction, tops: Iterable[Delegation], why: str, by: str | None, done: Cut
) -> list[Delegation]:
    """End each of `tops` with all below it; return those where anything was live."""
    counts = [(top, _end_subtree(tx, top, why)) for top in tops]
    ended = [(top, nodes) for top, nodes in counts if nodes]
    done.nodes += sum(nodes for _, nodes in ended)
    record_all(tx, [_ended(top, nodes, why, by) for top, nodes in ended])
    return [top for top, _ in ended]


def _end_subtree(tx: Transaction, top: Delegation, why: str) -> int:
    low, high = subtree(top.path)
    return int(_END.run(tx, {"low": low, "high": high, "at": tx.now, "why": why}).rowcount)


def _ended(top: Delegation, nodes: int, why: str, by: str | None) -> Event:
    return Event(
        "delegation.ended",
        person_id=top.person_id,
        agent=top.actor,
        task_id=top.task_id,
        delegation_id=top.id,
        chain=top.chain,
        facts={"why": why, "by": by, "nodes": nodes},
    )


def _end_tasks(tx: Transaction, roots: Sequence[Delegation], why: str, done: Cut) -> None:
    root_of = {root.task_id: root for root in roots}
    values = {
        "status": TaskStatus.CANCELLED,
        "ended_at": tx.now,
        "ended_why": why,
        "heard_by": None,
    }
    for some in _in_parts(list(root_of)):
        is_open = task.c.id.in_(some) & task.c.status.in_(sources(TaskStatus.CANCELLED))
        ending = update(task).where(is_open).values(**values).returning(task.c.id)
        ended = list(tx.execute(ending).scalars())
        record_all(tx, [task_ended(root_of[t], TaskStatus.CANCELLED, why) for t in ended])
        done.tasks += ended


def task_ended(root: Delegation, status: TaskStatus, why: str, by: str | None = None) -> Event:
    """Return the event that says how the root's task ended."""
    facts = {"status": status, "why": why, "by": by}
    return Event(
        "task.ended", root.person_id, root.actor, root.task_id, chain=root.chain, facts=facts
    )


def _retire_spawned(tx: Transaction, tops: Iterable[Delegation], done: Cut) -> list[str]:
    """Retire the agents of these tasks that were spawned from a node that has ended."""
    tasks = list({top.task_id: None for top in tops})
    is_over = select(delegation.c.id).where(
        delegation.c.id == agent.c.parent_delegation_id, delegation.c.ended_at.is_not(None)
    )
    retired: list[str] = []
    for some in _in_parts(tasks):
        of_them = agent.c.task_id.in_(some) & is_over.exists()
        moved = [client_id for client_id, _ in change_statuses(tx, of_them, Status.RETIRED)]
        record_all(tx, _retired(tx, moved))
        retired += moved
    done.agents += retired
    return retired


def _retired(tx: Transaction, client_ids: Sequence[str]) -> list[Event]:
    """Return what is told of spawned agents that were retired: under what they were spawned."""
    names = ("person_id", "task_id", "id", "chain")
    above = select(agent.c.client_id, *(delegation.c[name] for name in names)).join(
        delegation, delegation.c.id == agent.c.parent_delegation_id
    )
    rows = [
        row
        for some in _in_parts(client_ids)
        for row in tx.execute(above.where(agent.c.client_id.in_(some)))
    ]
    return [
        Event(
            "agent.retired",
            person_id=row.person_id,
            agent=row.client_id,
            task_id=row.task_id,
            delegation_id=row.id,
            chain=tuple(row.chain.split()),
        )
        for row in rows
    ]


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
    for some in _in_parts(client_ids):
        held = select(delegation).where(
            delegation.c.actor.in_(some), delegation.c.ended_at.is_(None)
        )
        found += map(delegation_from_row, tx.execute(held).mappings())
    return found


def _in_parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))


_END = Prepared(
    update(delegation)
    .where(
        delegation.c.path >= bindparam("low"),
        delegation.c.path < bindparam("high"),
        delegation.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("at"), ended_why=bindparam("why"))
)
