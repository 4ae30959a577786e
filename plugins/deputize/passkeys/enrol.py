"""A person enrols a passkey: it counts for approvals only after a delay, the first too.

So an agent at a person's signed-in browser that enrols one of its own can't approve itself:
the person has that time to see it, in the list and in the audit trail, and to remove it.
"""

from sqlalchemy import update

from ..audit.record import Event, record
from ..core.db import Kind, Lock, Transaction, insert_unless_present
from ..core.refusal import Refusal
from ..core.secrets import new_id
from ..delegation.context import Context
from ..delegation.persons import ensure_person, find_person_id
from ..web.words import neutralise
from .challenge import Challenge, Purpose, store_challenge, use_challenge
from .models import Passkey, counting_passkeys, passkey, passkeys_of
from .relying_party import Assertion, Created
from .use import use_passkey

#: Passkeys of one person.
MOST = 20

NAME_LENGTH = 60
_UNNAMED = "Passkey"


def ask_to_enrol(context: Context, host_key: str, shown: Assertion | None) -> Challenge:
    """Return what a new passkey has to sign.

    :param shown: by a passkey that counts, where the person has one
    :raises Refusal: `passkey.not_shown`, where they have one that was not shown; and as
        `use_passkey`
    """
    with context.db.read() as tx:
        known = find_person_id(tx, host_key)
    with context.db.write([Lock(Kind.PERSON, known, exclusive=True)] if known else []) as tx:
        person_id = ensure_person(tx, host_key)
        if shown is not None:
            use_passkey(tx, shown)
        elif counting_passkeys(tx, person_id):
            raise Refusal("passkey.not_shown", "A passkey that counts has to be shown first.")
        asked = Challenge(person_id, Purpose.ENROL)
        store_challenge(tx, asked)
    return asked


def enrol(context: Context, asked: Challenge, made: Created, name: str) -> Passkey:
    """Store the new passkey.

    :param name: what the person calls it
    :raises Refusal: `passkey.challenge`, `passkey.too_many`, `passkey.known`
    """
    person_id, delay = asked.person_id, context.settings.approvals.passkey_delay
    with context.db.write([Lock(Kind.PERSON, person_id, exclusive=True)]) as tx:
        use_challenge(tx, asked)
        if len(passkeys_of(tx, person_id)) >= MOST:
            raise Refusal("passkey.too_many", "There are too many passkeys already.")
        new = Passkey(
            id=new_id(),
            person_id=person_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=_called(name),
            created_at=tx.now,
            counts_from=tx.now + delay,
        )
        _store(tx, new)
    return new


def rename(context: Context, mine: Passkey, name: str) -> None:
    """Call the person's passkey otherwise; no decision hangs on what it is called."""
    with context.db.write() as tx:
        tx.execute(update(passkey).where(passkey.c.id == mine.id).values(name=_called(name)))


def _store(tx: Transaction, new: Passkey) -> None:
    row = {column.name: getattr(new, column.name) for column in passkey.c}
    # One that was removed is known as well: it stays removed.
    if not insert_unless_present(tx, passkey, row):
        raise Refusal("passkey.known", "That passkey is known already.")
    facts = {"passkey_id": new.id, "counts_from": new.counts_from}
    record(tx, Event("passkey.enrolled", person_id=new.person_id, facts=facts))


def _called(name: str) -> str:
    return neutralise(name, NAME_LENGTH) or _UNNAMED
