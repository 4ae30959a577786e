"""Asks a person to sign with one of their passkeys that count, and hears what was signed.

What is heard is verified here and used up where it decides something: in the transaction of
what was signed. Whatever is not believed leaves an event.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ..audit.record import Event, record
from ..core.db import Database
from ..core.refusal import Refusal
from ..delegation.context import Context
from .challenge import Challenge, store_challenge
from .models import counting_passkeys
from .relying_party import Assertion, relying_party


def ask(context: Context, asked: Challenge) -> str | None:
    """Store what is to be signed.

    :return: what `navigator.credentials.get` is given, as JSON; None where no passkey of the
        person's counts
    """
    with context.db.write() as tx:
        allowed = counting_passkeys(tx, asked.person_id)
        if not allowed:
            return None
        store_challenge(tx, asked)
    return relying_party(context.settings).request_options(asked, allowed)


def hear(context: Context, asked: Challenge, said: str) -> Assertion:
    """Verify what was signed about `asked`.

    :param said: the credential as JSON, as the browser gave it
    :raises Refusal: `passkey.not_good`, `passkey.unknown`, `passkey.counter`
    """
    with context.db.read() as tx:
        allowed = counting_passkeys(tx, asked.person_id)
    return relying_party(context.settings).verify_assertion(said, asked, allowed)


@contextmanager
def telling_refusals(db: Database, person_id: str | None) -> Iterator[None]:
    """Tell the audit trail what was not believed, in a transaction of its own."""
    try:
        yield
    except Refusal as refusal:
        facts = {"detail": refusal.detail} if refusal.detail else {}
        with db.write() as tx:
            record(tx, Event("passkey.refused", person_id, rule=refusal.rule, facts=facts))
        raise
