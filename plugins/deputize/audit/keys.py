"""The keys that sign the trail's seals: never those that sign tokens.

A key's id is its thumbprint (RFC 7638), so that a statement that left the machine names the
very key, and a row that was put in its place is no match. When a key is replaced its private
half is forgotten: whoever holds the database later cannot make seals of an earlier time.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import insert, select, update

from ..core.db import Database, Kind, Lock, Transaction
from ..core.sealed import Box, NotOpened
from ..part import ConfigurationError
from .models import audit_key
from .record import Event, record

#: Held by whoever seals, alone and never with another: positions are given one batch at a time.
SEALING = Lock(Kind.SEAL, "trail", exclusive=True)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The one key that signs now."""

    kid: str
    key: ECKey = field(repr=False)


class AuditKeys:
    """Reads and makes the rows of keys.

    :param secret: encrypts private keys at rest; None stores them as they are
    """

    def __init__(self, secret: str | None) -> None:
        self._box = Box(secret, "audit keys")

    def prepare(self, db: Database) -> None:
        """Make the first key, or see that the one there is can be opened.

        :raises ConfigurationError: where `key_secret` is not what it was stored with
        """
        with db.write([SEALING]) as tx:
            if self._find(tx) is None:
                self.make(tx)

    def signing(self, tx: Transaction) -> SigningKey:
        """Return the key that signs.

        :raises ConfigurationError: where there is none, or it can't be opened
        """
        found = self._find(tx)
        if found is None:
            raise ConfigurationError("the audit trail has no key to sign with")
        return found

    def make(self, tx: Transaction) -> str:
        """Make a key that signs from now on, in place of any other; return its id."""
        key = ECKey.generate_key("P-256", private=True)
        kid = key.thumbprint()
        tx.execute(update(audit_key).values(private_jwk=None))
        row = {
            "kid": kid,
            "public_jwk": json.dumps(key.as_dict(private=False)),
            "private_jwk": self._box.seal(key.as_dict(private=True)),
            "created_at": tx.now,
        }
        tx.execute(insert(audit_key), row)
        record(tx, Event("audit.key_made", facts={"kid": kid}))
        return kid

    def _find(self, tx: Transaction) -> SigningKey | None:
        signs = select(audit_key).where(audit_key.c.private_jwk.is_not(None))
        row = tx.execute(signs).mappings().first()
        if row is None:
            return None
        try:
            return SigningKey(row["kid"], ECKey.import_key(self._box.open(row["private_jwk"])))
        except NotOpened as reason:
            raise ConfigurationError(f"deputize.key_secret: {reason}") from None
        except (JoseError, ValueError, TypeError, KeyError):
            raise ConfigurationError("the stored key of the audit trail is none") from None


def find_public_keys(tx: Transaction) -> dict[str, ECKey]:
    """Return the public keys by their id; a row whose key is another's is none."""
    rows = tx.execute(select(audit_key.c.kid, audit_key.c.public_jwk)).all()
    keys = {row.kid: _imported(row.public_jwk) for row in rows}
    return {kid: key for kid, key in keys.items() if key and key.thumbprint() == kid}


def published(keys: dict[str, ECKey]) -> dict[str, Any]:
    """Return the keys as a JWK set (RFC 7517 §5)."""
    use = {"use": "sig", "alg": "ES256"}
    return {"keys": [{**key.as_dict(private=False), **use, "kid": k} for k, key in keys.items()]}


def _imported(jwk: str) -> ECKey | None:
    try:
        return ECKey.import_key(json.loads(jwk))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
