"""Whether a delegation lives: one function, asked at each mint and each introspection.

Ancestors and the chain's agents need no read: whatever ends one of them marks all that
is below it in the same transaction, and their expiry is in the node's own. So the cost
does not grow with depth, with tokens issued, or with the size of the tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from ..agents.models import agent, find_agent
from ..core.db import Transaction
from ..core.used_once import is_used
from ..tasks.models import TaskStatus, task
from .models import ACTIVE, delegation, delegation_from_row, person
from .node import Delegation

#: Kind of the `used_once` rows that say an agent's own token was revoked.
REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """A node with what its life hangs on. Two reads that are equal judge alike.

    :param subject: the person's `sub`
    :param caller: client id of the agent that asks
    :param caller_revision: of that agent's registration, None where there is none
    """

    node: Delegation
    subject: str
    person_status: str
    task_status: str
    deadline: int
    caller: str
    caller_revision: int | None


def find_standing(tx: Transaction, delegation_id: str, caller: str = "") -> Standing | None:
    """Read the node, its person and its task in one statement."""
    row = tx.execute(_STANDING, {"id": delegation_id, "caller": caller}).mappings().first()
    if row is None:
        return None
    return Standing(
        node=delegation_from_row(row),
        subject=row["host_key"],
        person_status=row["person_status"],
        task_status=row["task_status"],
        deadline=row["deadline"],
        caller=caller,
        caller_revision=row["caller_revision"],
    )


def why_dead(standing: Standing | None, now: int) -> str | None:
    """Return the rule by which the delegation is not alive at `now`, or None where it is."""
    if standing is None:
        return "delegation.unknown"
    judged = {
        "delegation.ended": standing.node.ended_at is not None,
        "delegation.expired": now >= standing.node.expires_at,
        "delegation.empty": not standing.node.scope,
        "task.ended": standing.task_status != TaskStatus.OPEN,
        "task.overdue": now >= standing.deadline,
        "person.inactive": standing.person_status != ACTIVE,
    }
    return next((rule for rule, is_so in judged.items() if is_so), None)


def is_own_token_live(tx: Transaction, claims: Mapping[str, Any], now: int) -> bool:
    """Tell whether the token that an agent got for itself is good: it hangs on the agent alone."""
    owner = find_agent(tx, claims["client_id"])
    return owner is not None and owner.is_live(now) and not is_used(tx, REVOKED, claims["jti"])


#: What the party itself may be told; outsiders are answered before this is asked.
TEXTS = {
    "delegation.unknown": "The delegation is not known.",
    "delegation.ended": "The delegation has ended.",
    "delegation.expired": "The delegation has expired.",
    "delegation.empty": "The delegation holds nothing any more.",
    "task.ended": "The task has ended.",
    "task.overdue": "The task is overdue.",
    "person.inactive": "The person may not act any more.",
}

_STANDING = (
    select(
        delegation,
        person.c.host_key,
        person.c.status.label("person_status"),
        task.c.status.label("task_status"),
        task.c.deadline,
        select(agent.c.revision)
        .where(agent.c.client_id == bindparam("caller"))
        .scalar_subquery()
        .label("caller_revision"),
    )
    .join(person, person.c.id == delegation.c.person_id)
    .join(task, task.c.id == delegation.c.task_id)
    .where(delegation.c.id == bindparam("id"))
)
