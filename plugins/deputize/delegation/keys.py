"""The server's signing keys, and the one way to sign and to verify a JWT of ours.

The plugin never signs with a host's key. Key objects are kept by the version of the
key set, so signing imports nothing. A verified token need not be verified again for a
while: a bounded cache by the token itself, dropped whole when the keys change. Whether
a token's delegation lives is never cached.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import BigInteger, Column, String, Table, Text, func, insert, select, update

from ..core.db import Transaction, metadata
from ..core.secrets import new_id
from ..core.values import canonical_json
from ..core.versions import raise_version
from ..part import ConfigurationError

ALGORITHM = "ES256"
ACCESS_TOKEN_TYP = "at+jwt"  # noqa: S105 - a header's value (RFC 9068 §2.1)
VERSION = "keys"

#: Seconds after which nothing that a key signed is good any more: no setting allows longer.
LONGEST_LIFETIME = 3600

_KEPT_TOKENS = 8192

signing_key = Table(
    "deputize_signing_key",
    metadata,
    Column("kid", String(16), primary_key=True),
    Column("private_jwk", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("signs_from", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
)


@dataclass
class KeySet:
    """The keys of one version: all verify, the newest that may sign signs."""

    issuer: str
    by_kid: Mapping[str, ECKey]
    signs_from: Mapping[str, int]
    _verified: dict[str, dict[str, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sign(self, claims: Mapping[str, Any], typ: str, now: int) -> str:
        """Return `claims` as a JWT of type `typ`, signed with the current key."""
        kid = self._current(now)
        header = {"alg": ALGORITHM, "typ": typ, "kid": kid}
        return jws.serialize_compact(header, canonical_json(claims), self.by_kid[kid])

    def verify(self, token: str, typ: str) -> dict[str, Any] | None:
        """Return the claims of `token`, or None unless this issuer made it, of type `typ`.

        "One `typ` per verifier": a token of another type is none of ours here (RFC 8725
        §3.11). Expiry is the caller's to judge.
        """
        name = f"{typ}\n{token}"
        kept = self._verified.get(name)
        if kept is None:
            kept = self._verify(token, typ)
            if kept is not None:
                self._keep(name, kept)
        return kept

    def public(self) -> list[dict[str, Any]]:
        """Return the public keys as members of a JWK set (RFC 7517 §5)."""
        use = {"use": "sig", "alg": ALGORITHM}
        return [
            {**key.as_dict(private=False), **use, "kid": kid} for kid, key in self.by_kid.items()
        ]

    def _current(self, now: int) -> str:
        ready = [kid for kid, since in self.signs_from.items() if since <= now]
        return max(ready or self.signs_from, key=lambda kid: (self.signs_from[kid], kid))

    def _verify(self, token: str, typ: str) -> dict[str, Any] | None:
        try:
            header = jws.extract_compact(token.encode()).headers()
            key = self.by_kid.get(header.get("kid", ""))
            if key is None or header.get("typ") != typ:
                return None
            claims = json.loads(jws.deserialize_compact(token, key, [ALGORITHM]).payload)
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        is_ours = isinstance(claims, dict) and claims.get("iss") == self.issuer
        return claims if is_ours else None

    def _keep(self, name: str, claims: dict[str, Any]) -> None:
        with self._lock:
            if len(self._verified) >= _KEPT_TOKENS:
                self._verified.clear()
            self._verified[name] = claims


class KeyStore:
    """Reads and makes the rows of signing keys.

    :param secret: encrypts private keys at rest; None stores them as they are
    """

    def __init__(self, issuer: str, secret: str | None) -> None:
        self.issuer = issuer
        self._box = Fernet(_derive(secret)) if secret else None

    def load(self, tx: Transaction) -> KeySet:
        """Return the keys that are not retired, having made the first if there is none."""
        live = select(signing_key).where(signing_key.c.retired_at.is_(None))
        rows = tx.execute(live.order_by(signing_key.c.signs_from)).mappings().all()
        return KeySet(
            issuer=self.issuer,
            by_kid={row["kid"]: ECKey.import_key(self._open(row["private_jwk"])) for row in rows},
            signs_from={row["kid"]: row["signs_from"] for row in rows},
        )

    def make(self, tx: Transaction, signs_from: int) -> str:
        """Make a key that signs from `signs_from` (seconds) on; return its `kid`."""
        kid = new_id()
        key = ECKey.generate_key("P-256", private=True)
        sealed = self._seal(canonical_json(key.as_dict(private=True)).decode())
        row = {"kid": kid, "private_jwk": sealed, "created_at": tx.now, "signs_from": signs_from}
        tx.execute(insert(signing_key).values(**row))
        raise_version(tx, VERSION)
        return kid

    def retire(self, tx: Transaction, kid: str) -> bool:
        """Drop a key: what it signed is good no more. Tell whether it was there."""
        live = (signing_key.c.kid == kid) & signing_key.c.retired_at.is_(None)
        dropped = tx.execute(update(signing_key).where(live).values(retired_at=tx.now)).rowcount
        raise_version(tx, VERSION)
        return dropped == 1

    def _seal(self, text: str) -> str:
        return self._box.encrypt(text.encode()).decode() if self._box else text

    def _open(self, stored: str) -> Any:
        if stored.startswith("{"):
            return json.loads(stored)
        if not self._box:
            raise ConfigurationError("deputize.key_secret: the stored signing keys need it")
        try:
            return json.loads(self._box.decrypt(stored.encode()))
        except InvalidToken:
            message = "deputize.key_secret: it does not open the stored signing keys"
            raise ConfigurationError(message) from None


def retire_superseded(tx: Transaction) -> int:
    """Drop each key whose successor has signed for as long as a token lives; return how many.

    It is published until then: what it signed is good until it expires.
    """
    live = signing_key.c.retired_at.is_(None)
    newest = select(func.max(signing_key.c.signs_from)).where(
        live, signing_key.c.signs_from <= tx.now - LONGEST_LIFETIME
    )
    superseded = live & (signing_key.c.signs_from < newest.scalar_subquery())
    retired = tx.execute(update(signing_key).where(superseded).values(retired_at=tx.now)).rowcount
    if retired:
        raise_version(tx, VERSION)
    return retired


def _derive(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"deputize keys\n" + secret.encode()).digest())
