"""A person becomes inactive: all that was done on their behalf ends, and nobody owns by them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import or_, select, update

from ..agents.models import agent
from ..approvals.choices import forget_choices
from ..approvals.user_code import forget_user_code
from ..audit.record import Event, record
from ..core.db import Database, Kind, Lock, Transaction
from ..delegation.models import ACTIVE, LEFT, code, delegation, delegation_from_row, person
from ..delegation.node import Delegation
from ..delegation.persons import ensure_person, find_person_id
from ..passkeys.models import passkey
from ..web_push.models import browser
from ..web_push.remove import remove_browsers
from .cut import Cut, cut, withdraw_codes
from .locked import held_with_tasks
from .owner_left import owner_left
from .remove_passkey import remove_passkeys


def person_left(db: Database, host_key: str, *, why: str) -> Cut:
    """Mark the person as gone and end every tree of theirs, in one transaction.

    Their agents follow, one by one: handed to the sponsor, or suspended.

    :param why: a reason of the trail's vocabulary: `left`, `inactive` or `locked_out`
    """
    done = _end_trees(db, host_key, why)
    owner_left(db, host_key)
    return done


def _end_trees(db: Database, host_key: str, why: str) -> Cut:
    with db.write() as tx:
        person_id = _person_id(tx, host_key)
    if person_id is None:
        return Cut()
    with person_locked(db, person_id) as tx:
        return leave(tx, person_id, why)


def _person_id(tx: Transaction, host_key: str) -> str | None:
    """Return our id of the person; made where they answer for an agent: that they have left is
    asked when it is handed on, or started again."""
    known = find_person_id(tx, host_key)
    answers = or_(agent.c.owner == host_key, agent.c.sponsor == host_key)
    if known is None and tx.execute(select(agent.c.client_id).where(answers).limit(1)).first():
        return ensure_person(tx, host_key)
    return known


@contextmanager
def person_locked(db: Database, person_id: str) -> Iterator[Transaction]:
    """Open a writing transaction in which neither the person nor their tasks can change."""

    def tasks_of(tx: Transaction) -> frozenset[str]:
        return frozenset(root.task_id for root in _roots(tx, person_id))

    lock = Lock(Kind.PERSON, person_id, exclusive=True)
    with held_with_tasks(db, lock, tasks_of) as tx:
        yield tx


def leave(tx: Transaction, person_id: str, why: str) -> Cut:
    """End all that is theirs; the caller holds the person and their tasks."""
    here = (person.c.id == person_id) & (person.c.status == ACTIVE)
    gone = tx.execute(update(person).where(here).values(status=LEFT, left_at=tx.now))
    if gone.rowcount:
        record(tx, Event("person.left", person_id=person_id, facts={"why": why}))
    withdraw_codes(tx, code.c.person_id == person_id)
    remove_passkeys(tx, passkey.c.person_id == person_id, by=why)
    forget_user_code(tx, person_id)
    remove_browsers(tx, browser.c.person_id == person_id, why=why)
    forget_choices(tx, person_id)
    return cut(tx, _roots(tx, person_id), why)


def _roots(tx: Transaction, person_id: str) -> list[Delegation]:
    roots = select(delegation).where(
        delegation.c.person_id == person_id,
        delegation.c.parent_id.is_(None),
        delegation.c.ended_at.is_(None),
    )
    return [delegation_from_row(row) for row in tx.execute(roots).mappings()]
