"""A system that has grown: what many people's consents, exchanges and endings leave behind.

Each tree is the usual one: a person deputizes an agent, which narrows its hold for an API
and hands authority over to a second one, which does the same; in each tenth, that one
has spawned a helper. Four trees in five have ended. Rows hold what the mint would store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from sqlalchemy import Table

from deputize.agents.lifecycle import Status
from deputize.agents.models import TOKEN_EXCHANGE, Agent, agent, agent_to_row
from deputize.audit.models import event
from deputize.audit.record import spelled
from deputize.core.db import Database
from deputize.core.secrets import new_id
from deputize.core.used_once import used_once
from deputize.delegation.models import (
    code,
    delegation,
    delegation_to_row,
    person,
    quota,
    refresh_token,
    spawn_token,
)
from deputize.delegation.node import Delegation
from deputize.tasks.lifecycle import TaskStatus
from deputize.tasks.models import task

from .bulk import load

Row = dict[str, Any]
Rows = dict[Table, list[Row]]

DAY = 86_400
API = "https://calendar.example"
ISSUER = "https://as.example"
SCOPE = frozenset({"calendar:read", "calendar:write"})
TREES_OF_A_PERSON, TREES_OF_AN_AGENT = 2, 50
ENDED_OF_FIVE = 4
# Assertions are forgotten within minutes, and few agents spawn.
ONE_IN_TEN = 10
TABLES = (person, agent, task, delegation, code, refresh_token, spawn_token, quota, used_once)


@dataclass(frozen=True)
class Tree:
    """Whose tree it is, and where it stands in the forest."""

    number: int
    person_id: str
    agents: tuple[str, str]
    task_id: str
    began: int

    @property
    def ended_at(self) -> int | None:
        return self.began + 600 if self.number % 5 < ENDED_OF_FIVE else None


def grow(db: Database, trees: int, now: int) -> int:
    """Store that many trees and all that hangs on them; return how many delegations they have."""
    rows: Rows = {table: [] for table in (*TABLES, event)}
    for tree in _trees(rows, trees, now):
        _grow_one(rows, tree)
    with db.write() as tx:
        for table, made in rows.items():
            load(tx, table, made)
    return len(rows[delegation])


# -- the trees --------------------------------------------------------------------


def _trees(rows: Rows, trees: int, now: int) -> Iterator[Tree]:
    people: list[str] = []
    pairs: list[tuple[str, str]] = []
    for number in range(trees):
        if number % TREES_OF_A_PERSON == 0:
            people.append(_add_person(rows))
        if number % TREES_OF_AN_AGENT == 0:
            pairs.append((_add_agent(rows, now), _add_agent(rows, now)))
        # A day's trees, each begun a little after the one before.
        began = now - DAY + number * DAY // trees
        yield Tree(number, people[-1], pairs[-1], new_id(), began)


def _add_person(rows: Rows) -> str:
    person_id = new_id()
    rows[person].append(
        {"id": person_id, "host_key": f"p-{person_id}", "status": "active", "salt": b"-" * 16}
    )
    return person_id


def _add_agent(rows: Rows, now: int, **spawned: Any) -> str:
    usual: dict[str, Any] = {
        "client_id": f"agent-{new_id()}",
        "name": "An agent",
        "purpose": "Books trips",
        "origin": "declared",
        "created_at": now - DAY,
        "expires_at": now + 90 * DAY,
        "token_endpoint_auth_method": "client_secret_basic",
        "owner": "p-of-an-owner",
        "status": Status.ACTIVE,
        "scope": SCOPE,
        "resources": frozenset({API}),
        "secret_digest": token_hex(32),
        "max_delegation_depth": 5,
    }
    made = Agent(**(usual | spawned))
    rows[agent].append(agent_to_row(made))
    return made.client_id


def _grow_one(rows: Rows, tree: Tree) -> None:
    planner, booker = tree.agents
    root = _root(tree, planner)
    handed = _below(root, target=booker)
    held = _below(handed, target=ISSUER, actor=booker, chain=(planner, booker), depth=2)
    nodes = [root, _below(root, target=API), handed, held, _below(held, target=API)]
    if tree.number % ONE_IN_TEN == 0:
        nodes += _spawn(rows, tree, held)
    rows[delegation] += [_row(node, tree) for node in nodes]
    rows[event] += [_issued(node) for node in nodes]
    rows[task].append(_task(tree, planner))
    rows[quota] += [{"name": f"nodes:{tree.task_id}:{name}", "used": 2} for name in tree.agents]
    rows[refresh_token] += _refreshed(root)
    rows[code].append(_code(tree, root))
    if tree.number % ONE_IN_TEN == 0:
        rows[used_once].append({"digest": token_hex(32), "expires_at": tree.began + DAY + 300})


def _root(tree: Tree, planner: str) -> Delegation:
    root_id = new_id()
    return Delegation(
        id=root_id,
        root_id=root_id,
        parent_id=None,
        path=f"{root_id}/",
        depth=1,
        chain=(planner,),
        actor=planner,
        person_id=tree.person_id,
        task_id=tree.task_id,
        scope=SCOPE,
        target=ISSUER,
        resources=frozenset({API}),
        pass_on=frozenset({tree.agents[1], "spawned"}),
        max_depth=5,
        lease_hash=None,
        created_at=tree.began,
        expires_at=tree.began + 2 * DAY,
        amr=("pwd",),
    )


def _below(parent: Delegation, **changes: Any) -> Delegation:
    return parent.child(new_id(), parent.created_at, **changes)


def _spawn(rows: Rows, tree: Tree, parent: Delegation) -> list[Delegation]:
    helper = _add_agent(
        rows,
        tree.began,
        client_id=f"{parent.actor}.{token_hex(8)}",
        origin="spawned",
        status=Status.RETIRED if tree.ended_at else Status.ACTIVE,
        grant_types=frozenset({TOKEN_EXCHANGE}),
        parent=parent.actor,
        parent_delegation_id=parent.id,
        task_id=tree.task_id,
    )
    rows[spawn_token].append(
        {
            "digest": token_hex(32),
            "delegation_id": parent.id,
            "client_id": parent.actor,
            "scope": "calendar:read",
            "agent_jkt": token_hex(21),
            "expires_at": tree.began + 60,
            "used_at": tree.began + 1,
        }
    )
    rows[quota].append({"name": f"spawned:{tree.task_id}", "used": 1})
    handed = _below(parent, target=helper)
    held = _below(handed, target=API, actor=helper, chain=(*parent.chain, helper), depth=3)
    return [handed, held]


def _row(node: Delegation, tree: Tree) -> Row:
    ended = {"ended_at": tree.ended_at, "ended_why": "completed"} if tree.ended_at else {}
    return delegation_to_row(node) | ended


def _issued(node: Delegation) -> Row:
    return {
        "id": f"{node.created_at:x}-{new_id()}",
        "at": node.created_at,
        "kind": "delegation.issued",
        "person_id": node.person_id,
        "agent": node.actor,
        "task_id": node.task_id,
        "delegation_id": node.id,
        "chain": spelled(node.chain),
        "body": b"{" + b"-" * 400 + b"}",
    }


def _task(tree: Tree, planner: str) -> Row:
    return {
        "id": tree.task_id,
        "person_id": tree.person_id,
        "agent": planner,
        "purpose": "Book the trip to the conference",
        "status": TaskStatus.COMPLETED if tree.ended_at else TaskStatus.OPEN,
        "started_at": tree.began,
        "deadline": tree.began + 2 * DAY,
        "ended_at": tree.ended_at,
        "ended_why": "completed" if tree.ended_at else None,
        "completion": "at_once",
    }


def _refreshed(root: Delegation) -> list[Row]:
    """Two refresh tokens: one that was rotated away, and its successor."""
    old, new = token_hex(32), token_hex(32)
    common = {"delegation_id": root.id, "client_id": root.actor, "issued_at": root.created_at}
    used = {"digest": old, "used_at": root.created_at + 300, "successor": new}
    return [common | used, common | {"digest": new}]


def _code(tree: Tree, root: Delegation) -> Row:
    return {
        "digest": token_hex(32),
        "client_id": root.actor,
        "person_id": tree.person_id,
        "code_challenge": token_hex(21),
        "scope": " ".join(sorted(SCOPE)),
        "resources": API,
        "pass_on": "spawned",
        "purpose": "Book the trip",
        "granted_until": tree.began + 2 * DAY,
        "amr": "pwd",
        "expires_at": tree.began + 60,
        "used_at": tree.began + 1,
        "delegation_id": root.id,
    }
