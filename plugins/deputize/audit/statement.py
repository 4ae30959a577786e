"""What a seal says, and signs: a JWS of a type of its own (RFC 7515, RFC 8725 §3.11).

It holds the hash of the statement before it, so that the newest one vouches for all. Anybody who
has kept one can tell whether the trail still has that past: it is the trail's checkpoint.
"""

import base64
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ..core.values import canonical_json
from .keys import SigningKey

ALGORITHM = "ES256"
TYP = "audit-seal+jwt"


@dataclass(frozen=True, slots=True)
class Statement:
    """One seal: these events, after those.

    :param number: of the seal, from 1
    :param first_position: of its first event; the trail's first is 1
    :param events: how many it seals
    :param tree: the Merkle tree hash of them, as base64url
    :param previous: SHA-256 of the statement before, as base64url; None for the first
    :param sealed_at: NumericDate
    :param next_kid: the key that signs the next one, where it is another
    """

    issuer: str
    number: int
    first_position: int
    events: int
    tree: str
    previous: str | None
    sealed_at: int
    next_kid: str | None = None

    @property
    def last_position(self) -> int:
        return self.first_position + self.events - 1


class NotAStatement(ValueError):  # noqa: N818 - it is told as a finding
    """It is no statement, or not signed by that key. The message says which."""


def sign(statement: Statement, key: SigningKey) -> str:
    """Return the statement as it is stored and handed out."""
    header = {"alg": ALGORITHM, "typ": TYP, "kid": key.kid}
    claims = {
        "iss": statement.issuer,
        "iat": statement.sealed_at,
        "seal": statement.number,
        "first_position": statement.first_position,
        "events": statement.events,
        "tree": statement.tree,
        "previous": statement.previous,
    }
    more = {"next_kid": statement.next_kid} if statement.next_kid else {}
    return jws.serialize_compact(header, canonical_json(claims | more), key.key)


def read(signed: str, keys: dict[str, ECKey]) -> tuple[Statement, str]:
    """Return what was signed, and the id of the key that signed it.

    :raises NotAStatement: unless one of `keys` signed it as a seal
    """
    kid = kid_of(signed)
    if kid not in keys:
        raise NotAStatement(f"is signed by a key that is not among ours: {kid}")
    try:
        claims = json.loads(jws.deserialize_compact(signed, keys[kid], [ALGORITHM]).payload)
        return _from_claims(claims), kid
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise NotAStatement("its signature is not that of its key") from None


def kid_of(signed: str) -> str:
    """Return the key's id that a statement names.

    :raises NotAStatement: for what is no statement
    """
    try:
        header = jws.extract_compact(signed.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        raise NotAStatement("is no statement of a seal") from None
    kid = header.get("kid")
    if header.get("typ") != TYP or not isinstance(kid, str):
        raise NotAStatement("is no statement of a seal")
    return kid


def hash_of(signed: str) -> str:
    """Return what the next statement says of this one."""
    return encoded(sha256(signed.encode()).digest())


def encoded(value: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return what `encoded` encoded.

    :raises ValueError: for what is no base64url
    """
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _from_claims(claims: dict[str, Any]) -> Statement:
    return Statement(
        issuer=claims["iss"],
        number=int(claims["seal"]),
        first_position=int(claims["first_position"]),
        events=int(claims["events"]),
        tree=claims["tree"],
        previous=claims["previous"],
        sealed_at=int(claims["iat"]),
        next_kid=claims.get("next_kid"),
    )
