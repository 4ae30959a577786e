"""Persons, as far as we must know one: a row at the first consent, vote, passkey or code."""

import secrets

from sqlalchemy import select, update

from ..core.db import Transaction, insert_unless_present
from ..core.secrets import new_id
from .models import ACTIVE, LEFT, person


def find_person_id(tx: Transaction, host_key: str) -> str | None:
    """Return the id of the host's person of that key."""
    found = tx.execute(select(person.c.id).where(person.c.host_key == host_key)).scalar()
    return str(found) if found else None


def ensure_person(tx: Transaction, host_key: str) -> str:
    """Return the id of the person, made at the first call.

    Somebody who left and whom the host signs in again starts anew: what ended stays ended.
    """
    row = {"id": new_id(), "host_key": host_key, "status": ACTIVE, "salt": secrets.token_bytes(16)}
    insert_unless_present(tx, person, row)
    gone = (person.c.host_key == host_key) & (person.c.status == LEFT)
    tx.execute(update(person).where(gone).values(status=ACTIVE, left_at=None))
    return str(find_person_id(tx, host_key))
