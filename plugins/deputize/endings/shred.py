"""What is personal of one person, table by table: deleted, or written over.

Rows to which others lead stay, with nothing in them but ids, times, scopes and agents. A
plain hash of what can be guessed tells it, so such hashes go too.
"""

import json
import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, or_, select, update

from ..agents.models import agent
from ..approvals.expire import mark
from ..approvals.models import Status, approval, asked_group, auth_request, vote
from ..approvals.user_code import user_code_try
from ..core.db import Transaction
from ..core.values import canonical_json
from ..delegation.models import (
    ERASED,
    archived,
    code,
    delegation,
    delegation_from_row,
    delegation_to_row,
    person,
    pushed_request,
    refresh_token,
    single_use,
    spawn_token,
    tombstone,
)
from ..outbox.models import outbox
from ..passkeys.models import challenge, evidence, passkey
from ..tasks.models import task

#: How the person had signed in, and what they signed.
_SIGNED_IN = {"auth_time": None, "acr": None, "evidence_id": None}


def shred(tx: Transaction, person_id: str, host_key: str) -> None:
    """Remove what is personal of somebody on whose behalf nothing lives.

    The caller holds the person, exclusively.
    """
    unused = approval.c.status.in_((Status.PENDING, Status.APPROVED))
    mark(tx, (approval.c.person_id == person_id) & unused, Status.WITHDRAWN, why="erased")
    for which in _deleted(person_id, host_key):
        tx.execute(which)
    _write_over_approvals(tx, person_id)
    _write_over_delegations(tx, person_id)
    _write_over_archived(tx, person_id)
    _write_over_tasks(tx, person_id)
    # Another salt, not an empty one: a key that everybody knows would protect nothing.
    values = {"host_key": tombstone(person_id), "status": ERASED, "salt": secrets.token_bytes(16)}
    tx.execute(update(person).where(person.c.id == person_id).values(**values))


def _deleted(person_id: str, host_key: str) -> list[Any]:
    """Return what deletes the rows that nobody else needs; those that lead to others first."""
    cards = _of(approval.c.id, approval.c.person_id == person_id)
    nodes = _of(delegation.c.id, delegation.c.person_id == person_id)
    ids = _of(auth_request.c.digest, auth_request.c.approval_id.in_(cards))
    said = _of(approval.c.decision_hash, approval.c.person_id == person_id)
    keys = _of(passkey.c.id, passkey.c.person_id == person_id)
    about = or_(
        outbox.c.subject == person_id,
        outbox.c.subject.in_(cards),
        outbox.c.subject.in_(ids),
        outbox.c.destination.endswith(f":{person_id}", autoescape=True),
    )
    signed = or_(evidence.c.passkey_id.in_(keys), evidence.c.decision_hash.in_(said))
    return [
        delete(outbox).where(about),
        delete(auth_request).where(auth_request.c.approval_id.in_(cards)),
        delete(evidence).where(signed),
        delete(vote).where(or_(vote.c.person_id == person_id, vote.c.decision_hash.in_(said))),
        delete(asked_group).where(asked_group.c.decision_hash.in_(said)),
        delete(pushed_request).where(pushed_request.c.person_key == host_key),
        *(delete(t).where(t.c.delegation_id.in_(nodes)) for t in _ONE_TIME),
        *(delete(t).where(t.c.person_id == person_id) for t in _THEIRS),
    ]


#: What hangs on a delegation. An API's `use_id` can say anything.
_ONE_TIME = (refresh_token, spawn_token, single_use)

#: Theirs alone. What they left behind when they left is gone already.
_THEIRS = (passkey, challenge, code, user_code_try)


def _of(column: Any, which: ColumnElement[bool]) -> Select[Any]:
    return select(column).where(which, column.is_not(None))


def _write_over_approvals(tx: Transaction, person_id: str) -> None:
    values = _SIGNED_IN | {
        "amr": None,
        "binding_message": "",
        "details": None,
        "granted_details": None,
        "request_hash": approval.c.id,
        "content_hash": approval.c.id,
        "decision_hash": None,
    }
    tx.execute(update(approval).where(approval.c.person_id == person_id).values(**values))


def _write_over_delegations(tx: Transaction, person_id: str) -> None:
    values = _SIGNED_IN | {"amr": "", "details": None, "lease_hash": None}
    tx.execute(update(delegation).where(delegation.c.person_id == person_id).values(**values))


def _write_over_archived(tx: Transaction, person_id: str) -> None:
    theirs = select(archived.c.id, archived.c.body).where(archived.c.person_id == person_id)
    for row in tx.execute(theirs).all():
        node = delegation_from_row(json.loads(row.body))
        bare = replace(node, amr=(), details=None, lease_hash=None, **_SIGNED_IN)  # type: ignore[arg-type]
        body = canonical_json(delegation_to_row(bare))
        tx.execute(update(archived).where(archived.c.id == row.id).values(body=body))


def _write_over_tasks(tx: Transaction, person_id: str) -> None:
    """Write over what tasks are for: in their helpers' registrations, too."""
    theirs = task.c.person_id == person_id
    spawned = agent.c.task_id.in_(select(task.c.id).where(theirs))
    tx.execute(update(agent).where(spawned).values(purpose=""))
    tx.execute(update(task).where(theirs).values(purpose=""))
