"""Makes a task's receipt, once the task has ended and all that happened in it is sealed."""

import json
from typing import Any

from sqlalchemy import select

from ..audit.models import event
from ..audit.prove import NotProved, prove
from ..audit.seal import Sealer
from ..core.db import Transaction
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
        claims = {
            "iss": sealer.issuer,
            "iat": tx.now,
            "task": _told(of),
            "events": _proofs(tx, task_id),
            "evidence": _evidence(tx, task_id),
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


def _proofs(tx: Transaction, task_id: str) -> list[dict[str, Any]]:
    its = select(event.c.id).where(event.c.task_id == task_id).order_by(event.c.position)
    try:
        return [prove(tx, event_id) for event_id in tx.execute(its).scalars()]
    except NotProved as error:
        raise NoReceipt(f"what happened in it can't be proved: {error}") from None


def _evidence(tx: Transaction, task_id: str) -> list[dict[str, Any]]:
    ids = _evidence_ids(tx, task_id)
    found = find_evidence(tx, ids)
    if len(found) != len(ids):
        raise NoReceipt("what was signed in it is gone: who signed it was erased")
    return found


def _evidence_ids(tx: Transaction, task_id: str) -> set[str]:
    """Return the ids of what people signed in the task, as its events name them."""
    its = select(event.c.body).where(event.c.task_id == task_id, event.c.kind.in_(_WITH_EVIDENCE))
    named = (json.loads(body).get("evidence_id") for body in tx.execute(its).scalars())
    return {evidence_id for evidence_id in named if evidence_id is not None}


#: Events of a decision, which may rest on a passkey.
_WITH_EVIDENCE = ("approval.approved", "approval.voted", "approval.denied")
