"""Trees of delegations as consents and exchanges would have stored them.

A chain of agents gives for each agent but the first a hand-over and the hold that was
taken of it; what an API is sent hangs below a hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deputize.core.db import Transaction
from deputize.core.secrets import new_id
from deputize.delegation.models import delegation, delegation_to_row, person
from deputize.delegation.node import Delegation
from deputize.tasks.lifecycle import TaskStatus
from deputize.tasks.models import task

from .bulk import load

DAY = 86_400
MAX_DEPTH = 16


@dataclass(frozen=True)
class Planter:
    """Plants trees of one person at one moment.

    :param now: NumericDate
    """

    issuer: str
    api: str
    scope: frozenset[str]
    person_id: str
    now: int

    def root(self, agent: str, scope: Iterable[str] = ()) -> Delegation:
        """Return what a consent gives `agent`."""
        root_id = new_id()
        return Delegation(
            id=root_id,
            root_id=root_id,
            parent_id=None,
            path=f"{root_id}/",
            depth=1,
            chain=(agent,),
            actor=agent,
            person_id=self.person_id,
            task_id=new_id(),
            scope=self.scope | frozenset(scope),
            target=self.issuer,
            resources=frozenset({self.api}),
            pass_on=frozenset({"spawned"}),
            max_depth=MAX_DEPTH,
            lease_hash=None,
            created_at=self.now,
            expires_at=self.now + DAY,
        )

    def handed(self, node: Delegation, taker: str) -> list[Delegation]:
        """Return the hand-over of `node` to `taker`, and the hold that it took."""
        handed = node.child(new_id(), self.now, target=taker)
        chain = (*node.chain, taker)
        held = {"target": self.issuer, "actor": taker, "chain": chain, "depth": len(chain)}
        return [handed, handed.child(new_id(), self.now, **held)]

    def chain(self, agents: Sequence[str], scope: Iterable[str] = ()) -> list[Delegation]:
        """Return a root and what was handed down from it, the last hold last."""
        nodes = [self.root(agents[0], scope)]
        for taker in agents[1:]:
            nodes += self.handed(nodes[-1], taker)
        return nodes

    def at_api(self, node: Delegation) -> Delegation:
        """Return what the holder of `node` sends to the API."""
        return node.child(new_id(), self.now, target=self.api)

    def store(self, tx: Transaction, nodes: Sequence[Delegation]) -> None:
        """Store the nodes of one or more trees, with a task for each root."""
        roots = [node for node in nodes if node.parent_id is None]
        load(tx, task, map(self._task, roots))
        load(tx, delegation, map(delegation_to_row, nodes))

    def _task(self, root: Delegation) -> dict[str, Any]:
        return {
            "id": root.task_id,
            "person_id": root.person_id,
            "agent": root.actor,
            "purpose": "Is measured",
            "status": TaskStatus.OPEN,
            "started_at": self.now,
            "deadline": self.now + DAY,
            "completion": "at_once",
        }


def store_person(tx: Transaction, host_key: str) -> str:
    """Store the person whom the host knows by that key; return their id."""
    person_id = new_id()
    load(tx, person, [{"id": person_id, "host_key": host_key, "status": "active", "salt": b"-"}])
    return person_id
