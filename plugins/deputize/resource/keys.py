"""The server's public keys, kept for a while and looked for again when one is missing.

The set is never kept for longer than the server takes to let a new key sign, so that a key
that it retired is not believed for ever. Unknown key ids, which anybody can make up, cause
one look an interval and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

KEPT_FOR = 600  # seconds; a new key is published ten minutes before it signs
LOOK_AGAIN_AFTER = 60  # seconds between two looks for an unknown key

PublicKey = ECKey | OKPKey | RSAKey

_KEY_TYPES = ("EC", "OKP", "RSA")


@dataclass
class Keys:
    """The keys by their ids. Times are unix seconds."""

    _by_kid: dict[str, PublicKey] = field(default_factory=dict)
    _read_at: float = -inf
    _asked_at: float = -inf

    def is_wanting(self, kid: str, now: float) -> bool:
        """Tell whether the set should be read (again) before `kid` is looked for."""
        is_stale = now - self._read_at >= KEPT_FOR
        may_look = kid not in self._by_kid and now - self._asked_at >= LOOK_AGAIN_AFTER
        return is_stale or may_look

    def find(self, kid: str) -> PublicKey | None:
        """Return the key."""
        return self._by_kid.get(kid)

    def note_asked(self, now: float) -> None:
        """Remember that the set is asked for, whatever comes of it."""
        self._asked_at = now

    def take(self, jwks: Mapping[str, Any], now: float) -> None:
        """Keep what a JWK Set (RFC 7517 §5) holds, in place of what there was."""
        members = jwks.get("keys")
        self._by_kid = {
            jwk["kid"]: key
            for jwk in (members if isinstance(members, list) else [])
            if (key := _find_key(jwk)) is not None
        }
        self._read_at = now


def _find_key(jwk: Any) -> PublicKey | None:
    """Return the key; RFC 7517 §5: "ignore JWKs within a JWK Set that ... are not understood"."""
    if not isinstance(jwk, dict) or jwk.get("kty") not in _KEY_TYPES:
        return None
    if not isinstance(jwk.get("kid"), str) or jwk.get("use", "sig") != "sig":
        return None
    try:
        key = import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, PublicKey) else None
