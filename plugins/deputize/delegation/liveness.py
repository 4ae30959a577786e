"""Whether a delegation lives: one function, asked at each mint and each introspection.

Ancestors and the chain's agents need no read: whatever ends one of them marks all that
is below it in the same transaction, and their expiry is in the node's own. So the cost
does not grow with depth, with tokens issued, or with the size of the tree.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from ..agents.models import agent, find_agent
from ..core.db import Prepared, Transaction
from ..core.used_once import is_used
from ..tasks.lifecycle import TaskStatus
from ..tasks.models import task
from .models import ACTIVE, NODE, delegation, node_of, person
from .node import Delegation

#: Kind of the `used_once` rows that say an agent's own token was revoked.
REVOKED = "revoked"

#: The rule that stops what its agent says is over, until the person has answered.
PROPOSED = "task.proposed"

#: Of one person and agent that are looked at, where none is named.
MOST_ROOTS = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """A node with what its life hangs on.

    :param subject: the person's `sub`
    :param heard_by: NumericDate by which the task's agent must report; None where it need not
    :param exchanges: that may be made in the task, as `spawned` and `elevated`; None where the
        settings alone bind
    :param caller: client id of the agent that asks
    :param caller_revision: of that agent's registration, None where there is none
    :param seen: the row as it was read: two that are equal judge alike
    """

    node: Delegation
    subject: str
    person_status: str
    task_status: str
    started_at: int
    deadline: int
    heard_by: int | None
    exchanges: int | None
    spawned: int | None
    elevated: int | None
    caller: str
    caller_revision: int | None
    seen: tuple[Any, ...]


def find_standing(tx: Transaction, delegation_id: str, caller: str = "") -> Standing | None:
    """Read the node, its person and its task in one statement."""
    row = _BY_ID.first(tx, {"id": delegation_id, "caller": caller})
    return _standing(row, caller) if row else None


def find_lease(tx: Transaction, lease_hash: str | None, caller: str) -> Standing | None:
    """Return the live node that the same request made before."""
    row = _BY_LEASE.first(tx, {"lease_hash": lease_hash, "caller": caller})
    return _standing(row, caller) if row else None


def find_standings(tx: Transaction, tasks: Collection[str]) -> list[Standing]:
    """Read every node of these tasks with what its life hangs on, older before younger."""
    rows = tx.execute(_OF_TASKS, {"tasks": list(tasks), "caller": ""})
    return [_standing(tuple(row), "") for row in rows]


def find_standings_of(tx: Transaction, ids: Collection[str]) -> dict[str, Standing]:
    """Read these nodes with what their life hangs on, by id: one statement for all."""
    rows = tx.execute(_BY_IDS, {"ids": sorted(ids), "caller": ""})
    read = [_standing(tuple(row), "") for row in rows]
    return {standing.node.id: standing for standing in read}


def find_standings_where(tx: Transaction, which: ColumnElement[bool], limit: int) -> list[Standing]:
    """Read the nodes that `which` picks with what their life hangs on, task by task, each node
    before those below it.

    :param which: of `delegation`, `person` and `task`
    """
    some = _STANDING.where(which).order_by(delegation.c.task_id, delegation.c.path).limit(limit)
    return [_standing(tuple(row), "") for row in tx.execute(some, {"caller": ""})]


def find_roots(tx: Transaction, subject: str, agent_id: str) -> list[Standing]:
    """Read what this person let this agent do and what has not ended, newest first.

    :param subject: the person's `sub`
    """
    rows = tx.execute(_ROOTS, {"subject": subject, "caller": agent_id})
    return [_standing(tuple(row), agent_id) for row in rows]


def is_unchanged(standing: Standing, tx: Transaction) -> bool:
    """Tell whether what was judged alive is still the same, and alive now."""
    again = _BY_ID.first(tx, {"id": standing.node.id, "caller": standing.caller})
    return again == standing.seen and why_dead(standing, tx.now) is None


def _standing(row: tuple[Any, ...], caller: str) -> Standing:
    subject, person_status, task_status, *told, revision = row[len(NODE) :]
    started_at, deadline, heard_by, *budget = told
    exchanges, spawned, elevated = budget
    return Standing(
        node=node_of(row),
        subject=subject,
        person_status=person_status,
        task_status=task_status,
        started_at=started_at,
        deadline=deadline,
        heard_by=heard_by,
        exchanges=exchanges,
        spawned=spawned,
        elevated=elevated,
        caller=caller,
        caller_revision=revision,
        seen=row,
    )


def why_dead(standing: Standing | None, now: int) -> str | None:
    """Return the rule by which the delegation is not alive at `now`, or None where it is."""
    if standing is None:
        return "delegation.unknown"
    judged = {
        "delegation.ended": standing.node.ended_at is not None,
        "delegation.expired": now >= standing.node.expires_at,
        "delegation.empty": not standing.node.scope,
        PROPOSED: standing.task_status == TaskStatus.PROPOSED,
        "task.ended": standing.task_status != TaskStatus.OPEN,
        "task.overdue": now >= standing.deadline,
        "task.silent": standing.heard_by is not None and now >= standing.heard_by,
        "person.inactive": standing.person_status != ACTIVE,
    }
    return next((rule for rule, is_so in judged.items() if is_so), None)


def may_live(standing: Standing | None, now: int) -> bool:
    """Tell whether it lives, or would if the proposed end of its task were not accepted."""
    return why_dead(standing, now) in (None, PROPOSED)


def is_own_token_live(tx: Transaction, claims: Mapping[str, Any], now: int) -> bool:
    """Tell whether the token that an agent got for itself is good: it hangs on the agent alone."""
    owner = find_agent(tx, claims["client_id"])
    if owner is None or not owner.is_live(now) or owner.revision != claims["agent_revision"]:
        return False
    return not is_used(tx, REVOKED, claims["jti"])


#: What the party itself may be told; outsiders are answered before this is asked.
TEXTS = {
    "delegation.unknown": "The delegation is not known.",
    "delegation.ended": "The delegation has ended.",
    "delegation.expired": "The delegation has expired.",
    "delegation.empty": "The delegation holds nothing any more.",
    PROPOSED: "The task waits for its person to accept its end.",
    "task.ended": "The task has ended.",
    "task.overdue": "The task is overdue.",
    "task.silent": "The task's agent has not reported in time.",
    "person.inactive": "The person may not act any more.",
}

_STANDING = (
    select(
        *NODE,
        person.c.host_key,
        person.c.status.label("person_status"),
        task.c.status.label("task_status"),
        task.c.started_at,
        task.c.deadline,
        task.c.heard_by,
        task.c.exchanges,
        task.c.spawned,
        task.c.elevated,
        select(agent.c.revision)
        .where(agent.c.client_id == bindparam("caller"))
        .scalar_subquery()
        .label("caller_revision"),
    )
    .join(person, person.c.id == delegation.c.person_id)
    .join(task, task.c.id == delegation.c.task_id)
)
_OF_TASKS = _STANDING.where(delegation.c.task_id.in_(bindparam("tasks", expanding=True))).order_by(
    delegation.c.created_at, delegation.c.path
)
_BY_IDS = _STANDING.where(delegation.c.id.in_(bindparam("ids", expanding=True)))
_ROOTS = (
    _STANDING.where(
        person.c.host_key == bindparam("subject"),
        delegation.c.actor == bindparam("caller"),
        delegation.c.parent_id.is_(None),
        delegation.c.ended_at.is_(None),
    )
    .order_by(delegation.c.created_at.desc(), delegation.c.id)
    .limit(MOST_ROOTS)
)
_BY_ID = Prepared(_STANDING.where(delegation.c.id == bindparam("id")))
_BY_LEASE = Prepared(
    _STANDING.where(
        delegation.c.lease_hash == bindparam("lease_hash"), delegation.c.ended_at.is_(None)
    )
)
