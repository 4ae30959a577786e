"""Delegations that ended long ago are put away, so that what is live stays quick to find.

Nothing of the trail is lost: the row is kept as it was, and its events stay. A node is
put away only with all below it, because what ends or expires does so with all below.
"""

import json

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select

from ..audit.record import Event, record
from ..core.db import Database, Transaction
from ..core.values import canonical_json
from ..delegation.models import (
    archived,
    delegation,
    delegation_from_row,
    delegation_to_row,
    refresh_token,
)
from ..delegation.node import Delegation
from .locked import task_locked

#: Rows of one statement: databases bound their parameters.
_AT_ONCE = 500


def archive(db: Database, *, before: int) -> int:
    """Put away what had ended or expired at `before` (seconds); return how many nodes.

    A transaction for each task; safe while the server runs, and to be run again.
    """
    with db.read() as tx:
        over = select(delegation.c.task_id).where(_is_over(before)).distinct()
        tasks = list(tx.execute(over).scalars())
    return sum(_archive_task(db, task_id, before) for task_id in tasks)


def find_archived(tx: Transaction, delegation_id: str) -> Delegation | None:
    """Return a delegation that was put away, as it was."""
    by_id = select(archived.c.body).where(archived.c.id == delegation_id)
    body = tx.execute(by_id).scalar()
    return delegation_from_row(json.loads(body)) if body else None


def _is_over(before: int) -> ColumnElement[bool]:
    return or_(delegation.c.ended_at <= before, delegation.c.expires_at <= before)


def _archive_task(db: Database, task_id: str, before: int) -> int:
    with task_locked(db, task_id) as tx:
        of_task = and_(delegation.c.task_id == task_id, _is_over(before))
        rows = tx.execute(select(delegation).where(of_task).order_by(delegation.c.path)).mappings()
        nodes = [delegation_from_row(row) for row in rows]
        for start in range(0, len(nodes), _AT_ONCE):
            _put_away(tx, nodes[start : start + _AT_ONCE])
        if nodes:
            facts, top = {"nodes": len(nodes), "before": before}, nodes[0]
            record(
                tx,
                Event(
                    "delegation.archived",
                    person_id=top.person_id,
                    task_id=task_id,
                    chain=top.chain,
                    facts=facts,
                ),
            )
    return len(nodes)


def _put_away(tx: Transaction, nodes: list[Delegation]) -> None:
    tx.execute(insert(archived), [_row(node, tx.now) for node in nodes])
    ids = [node.id for node in nodes]
    tx.execute(delete(refresh_token).where(refresh_token.c.delegation_id.in_(ids)))
    tx.execute(delete(delegation).where(delegation.c.id.in_(ids)))


def _row(node: Delegation, now: int) -> dict[str, object]:
    return {
        "id": node.id,
        "person_id": node.person_id,
        "task_id": node.task_id,
        "archived_at": now,
        "body": canonical_json(delegation_to_row(node)),
    }
