"""Persons, as far as we must know one: a row at the first consent, vote, passkey or code."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select, update

from ..core.db import Database, Kind, Lock, Transaction, insert_unless_present
from ..core.secrets import new_id
from .models import ACTIVE, LEFT, person


def find_person_id(tx: Transaction, host_key: str) -> str | None:
    """Return the id of the host's person of that key."""
    found = tx.execute(select(person.c.id).where(person.c.host_key == host_key)).scalar()
    return str(found) if found else None


def salt_of(tx: Transaction, person_id: str) -> bytes:
    """Return the key of what binds events to content about the person."""
    salt = tx.execute(select(person.c.salt).where(person.c.id == person_id)).scalar_one()
    return bytes(salt)


def commitment(salt: bytes, said: str | None) -> str | None:
    """Return what binds an event to `said` without telling it; None for nothing.

    A plain hash of what can be guessed tells it. This one is keyed with the person's salt:
    when that is shredded, nobody can try guesses any more, and the event stays as it was.
    """
    if said is None:
        return None
    return hmac.new(salt, said.encode(), hashlib.sha256).hexdigest()


def ensure_person(tx: Transaction, host_key: str) -> str:
    """Return the id of the person, made at the first call.

    Somebody who left and whom the host signs in again starts anew: what ended stays ended.
    """
    row = {"id": new_id(), "host_key": host_key, "status": ACTIVE, "salt": secrets.token_bytes(16)}
    insert_unless_present(tx, person, row)
    gone = (person.c.host_key == host_key) & (person.c.status == LEFT)
    tx.execute(update(person).where(gone).values(status=ACTIVE, left_at=None))
    return str(find_person_id(tx, host_key))


@contextmanager
def held_person(db: Database, host_key: str) -> Iterator[tuple[Transaction, str]]:
    """Open a writing transaction under the person's lock; yield it, with their id.

    For whatever keeps something of theirs: who was erased while the lock was waited for is
    somebody new, and nothing comes in behind the erasure.
    """
    with db.read() as tx:
        known = find_person_id(tx, host_key)
    while True:
        with db.write([Lock(Kind.PERSON, known, exclusive=True)] if known else []) as tx:
            person_id = ensure_person(tx, host_key)
            if person_id == known:
                yield tx, person_id
                return
        known = person_id
