"""A passkey is used: the challenge that it signed is used up, and its counter goes on, at once.

Both are compare-and-set, in the transaction of what was signed: of two that come at one
moment one is heard, and a passkey that was removed meanwhile signs nothing.
"""

from sqlalchemy import insert, update

from ..core.db import Transaction
from ..core.refusal import Refusal
from .challenge import use_challenge
from .models import evidence, passkey
from .relying_party import Assertion


def use_passkey(tx: Transaction, signed: Assertion) -> None:
    """Use up what was signed. The person is locked, were it shared: a removal waits, or is over.

    :raises Refusal: `passkey.challenge`, `passkey.unknown`
    """
    use_challenge(tx, signed.challenge)
    counted, before = signed.sign_count, passkey.c.sign_count
    still_good = (
        (passkey.c.id == signed.passkey.id)
        & (passkey.c.person_id == signed.challenge.person_id)
        & (passkey.c.removed_at.is_(None))
        & (passkey.c.counts_from <= tx.now)
        & (before < counted if counted else before == 0)
    )
    values = {"sign_count": signed.sign_count, "last_used_at": tx.now}
    if tx.execute(update(passkey).where(still_good).values(**values)).rowcount != 1:
        raise Refusal("passkey.unknown", "That passkey is not one that counts.")


def keep_evidence(tx: Transaction, signed: Assertion) -> None:
    """Use up what was signed about an approval, and keep it for whoever asks later.

    :raises Refusal: as `use_passkey`
    """
    use_passkey(tx, signed)
    asked = signed.challenge
    row = {
        "id": signed.id,
        "passkey_id": signed.passkey.id,
        "decision_hash": asked.decided,
        "nonce": asked.nonce,
        "client_data": signed.client_data,
        "authenticator_data": signed.authenticator_data,
        "signature": signed.signature,
        "at": tx.now,
    }
    tx.execute(insert(evidence), row)
