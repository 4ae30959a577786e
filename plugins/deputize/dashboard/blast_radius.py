"""What would end, if one delegation or one agent ended: counted as `endings.cut` would end it.

Only what lives is counted: what has expired ends with it as well, and nobody misses it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select

from ..agents.lifecycle import Status
from ..agents.models import agent
from ..approvals.find_cards import waits
from ..approvals.models import approval
from ..core.db import Transaction
from ..delegation.liveness import Standing, find_standings_of, may_live
from ..delegation.models import delegation, subtree
from ..delegation.node import Delegation
from ..web.words import count_of, list_of

#: Parameters of one statement: databases bound them.
_AT_ONCE = 500


@dataclass
class Radius:
    """What would end.

    :param nodes: ids of the delegations
    :param tasks: ids of the tasks, whose roots are among them
    :param agents: client ids of the helpers that would be retired
    :param withdrawn: how many questions would be withdrawn
    """

    nodes: set[str] = field(default_factory=set)
    tasks: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    withdrawn: int = 0

    def said(self) -> str:
        """Say it: "This ends 14 delegations and 3 tasks."."""
        parts = [count_of(len(self.nodes), "delegation")]
        parts += [count_of(len(self.tasks), "task")] if self.tasks else []
        helpers = f" {count_of(len(self.agents), 'helper')} " if self.agents else ""
        retired = helpers and f"{helpers}{'is' if len(self.agents) == 1 else 'are'} retired."
        verb = "is" if self.withdrawn == 1 else "are"
        waiting = f" {count_of(self.withdrawn, 'waiting approval')} {verb} withdrawn."
        return f"This ends {list_of(parts)}.{retired}{waiting if self.withdrawn else ''}"


def radius_of_node(tx: Transaction, node: Delegation) -> Radius:
    """Return what would end with the delegation."""
    low, high = subtree(node.path)
    return _radius(tx, _ids(tx, (delegation.c.path >= low) & (delegation.c.path < high)))


def radius_of_agent(tx: Transaction, client_id: str) -> Radius:
    """Return what would end with all that the agent holds, or the instances of a blueprint."""
    instances = select(agent.c.client_id).where(agent.c.blueprint == client_id)
    return _radius(tx, _below_holds_of(tx, [client_id, *tx.execute(instances).scalars()]))


def _radius(tx: Transaction, ids: set[str]) -> Radius:
    found, seen, of_tasks = Radius(), set[str](), set[str]()
    while ids - seen:
        new = ids - seen
        seen |= new
        for alive in _alive(tx, sorted(new)):
            found.nodes.add(alive.node.id)
            of_tasks.add(alive.node.task_id)
            if alive.node.parent_id is None:
                found.tasks.add(alive.node.task_id)
        born = _spawned_from(tx, sorted(new))
        found.agents |= born
        ids = _below_holds_of(tx, sorted(born))
    found.withdrawn = len([one for one in waiting_in(tx, sorted(of_tasks)) if one in found.nodes])
    return found


def waiting_in(tx: Transaction, tasks: Sequence[str]) -> list[str]:
    """Return the delegation of each question that waits in these tasks."""
    asked = select(approval.c.delegation_id)
    return [
        name
        for some in _in_parts(tasks)
        for name in tx.execute(asked.where(approval.c.task_id.in_(some), waits(tx))).scalars()
    ]


def _ids(tx: Transaction, which: ColumnElement[bool]) -> set[str]:
    unended = select(delegation.c.id).where(which, delegation.c.ended_at.is_(None))
    return set(tx.execute(unended).scalars())


def _below_holds_of(tx: Transaction, client_ids: Sequence[str]) -> set[str]:
    """Return all in whose chain one of these stands: that is what hangs on their holds."""
    held = select(delegation.c.task_id).where(delegation.c.ended_at.is_(None)).distinct()
    tasks: set[str] = set()
    for some in _in_parts(client_ids):
        tasks |= set(tx.execute(held.where(delegation.c.actor.in_(some))).scalars())
    unended = select(delegation.c.id, delegation.c.chain).where(delegation.c.ended_at.is_(None))
    return {
        row.id
        for some in _in_parts(sorted(tasks))
        for row in tx.execute(unended.where(delegation.c.task_id.in_(some)))
        if not set(client_ids).isdisjoint(row.chain.split())
    }


def _alive(tx: Transaction, ids: Sequence[str]) -> Iterator[Standing]:
    for some in _in_parts(ids):
        for standing in find_standings_of(tx, some).values():
            if may_live(standing, tx.now):
                yield standing


def _spawned_from(tx: Transaction, ids: Sequence[str]) -> set[str]:
    born: set[str] = set()
    for some in _in_parts(ids):
        unretired = agent.c.parent_delegation_id.in_(some) & (agent.c.status != Status.RETIRED)
        born |= set(tx.execute(select(agent.c.client_id).where(unretired)).scalars())
    return born


def _in_parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))
