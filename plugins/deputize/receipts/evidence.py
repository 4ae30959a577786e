"""What a person signed with a passkey, as a receipt holds it, and whether it is so signed.

Web Authentication Level 3 §7.2: the signature is over the authenticator's data and the hash of
the client's, which holds the challenge; the challenge is the hash of a nonce and the decision.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidSignature
from sqlalchemy import select
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.verify_signature import verify_signature

from ..audit.statement import decoded, encoded
from ..core.db import Transaction
from ..passkeys.models import evidence, passkey

#: §6.1: the flags that the person was there, and that their device has verified them.
_PRESENT_AND_VERIFIED = 0b101


def find_evidence(tx: Transaction, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return what was signed under these ids, with the public key that verifies it."""
    asked = (
        select(evidence, passkey.c.public_key)
        .join(passkey, passkey.c.id == evidence.c.passkey_id)
        .where(evidence.c.id.in_(sorted(ids)))
        .order_by(evidence.c.id)
    )
    return [
        {
            "id": row["id"],
            "passkey_id": row["passkey_id"],
            "public_key": encoded(row["public_key"]),
            "decision_hash": row["decision_hash"],
            "nonce": row["nonce"],
            "client_data": encoded(row["client_data"]),
            "authenticator_data": encoded(row["authenticator_data"]),
            "signature": encoded(row["signature"]),
            "at": row["at"],
        }
        for row in tx.execute(asked).mappings()
    ]


def is_signed_by_a_passkey(one: dict[str, Any]) -> bool:
    """Tell whether the passkey signed exactly that decision, and its person was verified.

    :raises LookupError, TypeError, ValueError: for what is no evidence
    """
    client_data, data = decoded(one["client_data"]), decoded(one["authenticator_data"])
    challenge = hashlib.sha256((one["nonce"] + one["decision_hash"]).encode()).digest()
    if json.loads(client_data).get("challenge") != encoded(challenge):
        return False
    if data[32] & _PRESENT_AND_VERIFIED != _PRESENT_AND_VERIFIED:
        return False
    signed = data + hashlib.sha256(client_data).digest()
    try:
        key = decode_credential_public_key(decoded(one["public_key"]))
        verify_signature(
            public_key=decoded_public_key_to_cryptography(key),
            signature_alg=key.alg,
            signature=decoded(one["signature"]),
            data=signed,
        )
    except (InvalidSignature, WebAuthnException):
        return False
    return True
