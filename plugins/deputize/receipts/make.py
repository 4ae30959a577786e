"""Makes a task's receipt, once the task has ended and all that happened in it is sealed."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from ..audit.models import event
from ..audit.prove import NotProved, prove
from ..audit.put_away import put_away_at
from ..audit.query import find_highest
from ..audit.seal import Sealer
from ..core.db import Transaction
from ..delegation.persons import commitment, salt_of
from ..tasks.lifecycle import RUNNING
from ..tasks.models import Task
from ..tasks.report import find_task
from .evidence import find_evidence
from .receipt import sign


class NoReceipt(ValueError):  # noqa: N818 - it is told in one line
    """There is none, or none yet. The message says why."""


def make_receipt(sealer: Sealer, task_id: str) -> str:
    """Return the receipt of an ended task, having sealed what waited.

    :raises NoReceipt: where there is no such task, it has not ended, or its events are gone
    """
    sealer.seal()
    with sealer.db.read() as tx:
        of = find_task(tx, task_id)
        if of is None:
            raise NoReceipt("there is no such task")
        if of.status in RUNNING:
            raise NoReceipt("it has not ended")
        if put_away_at(tx) >= of.started_at:
            raise NoReceipt("some of what happened in it was put away")
        # What comes while it is read is in no receipt, or in the next.
        through = find_highest(tx)
        sealed = _sealed(tx, of, through)
        claims = {
            "iss": sealer.issuer,
            "iat": tx.now,
            "task": _told(of),
            "sealed_through": through,
            "events": _proofs(tx, sealed),
            "evidence": _evidence(tx, of, sealed.values()),
        }
        return sign(claims, sealer.keys.signing(tx))


def _told(of: Task) -> dict[str, Any]:
    # Its purpose is the person's own affair, and can be erased: no receipt keeps it.
    return {
        "task_id": of.id,
        "person_id": of.person_id,
        "agent": of.agent,
        "status": of.status,
        "started_at": of.started_at,
        "deadline": of.deadline,
        "ended_at": of.ended_at,
    }


def _sealed(tx: Transaction, of: Task, through: int) -> dict[str, dict[str, Any]]:
    """Return the task's events until its end, up to that position, by their ids, in order.

    What its agents try later is refused: that makes a receipt neither longer nor another.
    """
    its = (event.c.task_id == of.id) & (event.c.position <= through)
    its &= event.c.at <= (of.ended_at or 0)
    rows = tx.execute(select(event.c.id, event.c.body).where(its).order_by(event.c.position))
    try:
        return {row.id: dict(json.loads(row.body)) for row in rows}
    except (ValueError, TypeError, RecursionError):
        raise NoReceipt("what happened in it is not what was sealed") from None


def _proofs(tx: Transaction, ids: Iterable[str]) -> list[dict[str, Any]]:
    try:
        return [prove(tx, event_id) for event_id in ids]
    except NotProved as error:
        raise NoReceipt(f"what happened in it can't be proved: {error}") from None


def _evidence(tx: Transaction, of: Task, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what people signed in the task: each what its event says that they decided."""
    decided = {told["evidence_id"]: told["decision"] for told in events if "evidence_id" in told}
    found, salt = find_evidence(tx, decided), salt_of(tx, of.person_id)
    if len(found) != len(decided):
        raise NoReceipt("what was signed in it is gone: who signed it was erased")
    if any(commitment(salt, one["decision_hash"]) != decided[one["id"]] for one in found):
        raise NoReceipt("what was signed in it is not what was decided")
    return found
