"""A code that a person sets, so that nobody who does not know it asks them cold (CIBA Core §7.1,
`user_code`).

It is short: it is kept as a slow hash, and tried a few times by each agent. It guards cold
requests and nothing else, so that who guesses locks the person out of nothing.
"""

from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    Text,
    case,
    delete,
    or_,
    select,
    update,
)

from ..audit.record import Event, record
from ..core.db import Database, Transaction, insert_unless_present, metadata
from ..core.refusal import Refusal
from ..delegation.models import person
from ..delegation.persons import find_person_id, held_person

#: Characters of a code.
SHORTEST, LONGEST = 6, 64

#: Wrong codes by one agent for one person, and seconds until it may try again.
MOST_TRIES, LOCKED = 5, 900

#: OWASP's least of memory: an agent can make each of its requests cost this much.
_HASHER = PasswordHasher(type=Type.ID, time_cost=2, memory_cost=19_456, parallelism=1)

user_code = Table(
    "deputize_user_code",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)

#: A counter a row; of those whom a hint does not name there is one row together.
user_code_try = Table(
    "deputize_user_code_try",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("client_id", String(64), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
)


def validate_user_code(code: str) -> None:
    """Refuse what cannot be a code.

    :raises Refusal: `user_code.malformed`
    """
    is_good = SHORTEST <= len(code) <= LONGEST and code.isprintable() and code == code.strip()
    if not is_good:
        raise Refusal("user_code.malformed", f"A code has {SHORTEST} to {LONGEST} characters.")


def set_user_code(db: Database, host_key: str, code: str) -> None:
    """Keep the hash of the person's new code.

    :raises Refusal: `user_code.malformed`
    """
    validate_user_code(code)
    hashed = _HASHER.hash(code)
    with held_person(db, host_key) as (tx, person_id):
        row = {"person_id": person_id, "hash": hashed, "set_at": tx.now}
        if not insert_unless_present(tx, user_code, row):
            mine = user_code.c.person_id == person_id
            tx.execute(update(user_code).where(mine).values(hash=hashed, set_at=tx.now))
        record(tx, Event("user_code.set", person_id=person_id))


def remove_user_code(db: Database, host_key: str) -> None:
    """Forget the person's code: no agent that asks by one can ask them cold."""
    with db.write() as tx:
        person_id = find_person_id(tx, host_key)
        if person_id and forget_user_code(tx, person_id):
            record(tx, Event("user_code.removed", person_id=person_id))


def forget_user_code(tx: Transaction, person_id: str) -> bool:
    """Delete the code; tell whether there was one."""
    return tx.execute(delete(user_code).where(user_code.c.person_id == person_id)).rowcount > 0


def find_set_at(tx: Transaction, host_key: str) -> int | None:
    """Return when the person set their code (seconds since the epoch); None without one."""
    mine = select(user_code.c.set_at).join(person, person.c.id == user_code.c.person_id)
    found = tx.execute(mine.where(person.c.host_key == host_key)).scalar()
    return None if found is None else int(found)


def is_user_code(db: Database, person_id: str, client_id: str, code: str) -> bool:
    """Tell whether `code` is the person's, by the same work whatever the answer is.

    The try is counted before it is judged: however many come at once, so many are.

    :param person_id: empty where the hint named nobody
    """
    with db.write() as tx:
        may_try = _take_try(tx, person_id, client_id)
        stored = tx.execute(select(user_code.c.hash).where(user_code.c.person_id == person_id))
        hashed = stored.scalar()
    is_right = _verify(hashed or _dummy(), code) and hashed is not None and may_try
    if is_right:
        with db.write() as tx:
            tx.execute(delete(user_code_try).where(_tries_of(person_id, client_id)))
    return is_right


def forget_tries(tx: Transaction) -> int:
    """Delete what counts no more; return how many."""
    return tx.execute(delete(user_code_try).where(user_code_try.c.until <= tx.now)).rowcount


def _take_try(tx: Transaction, person_id: str, client_id: str) -> bool:
    until, tries = user_code_try.c.until, user_code_try.c.tries
    row = {"person_id": person_id, "client_id": client_id, "tries": 0, "until": tx.now + LOCKED}
    insert_unless_present(tx, user_code_try, row)
    is_over = until <= tx.now
    left = _tries_of(person_id, client_id) & or_(is_over, tries < MOST_TRIES)
    values = {
        "tries": case((is_over, 1), else_=tries + 1),
        "until": case((is_over, tx.now + LOCKED), else_=until),
    }
    return tx.execute(update(user_code_try).where(left).values(**values)).rowcount == 1


def _tries_of(person_id: str, client_id: str) -> ColumnElement[bool]:
    return (user_code_try.c.person_id == person_id) & (user_code_try.c.client_id == client_id)


def _verify(hashed: str, code: str) -> bool:
    try:
        return _HASHER.verify(hashed, code[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy() -> str:
    return _HASHER.hash("nobody has this code")
