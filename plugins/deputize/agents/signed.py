"""What an agent signs by the key that it registered: a client assertion (RFC 7523), or a
request (CIBA Core §7.1.1).

Here is what both must hold; which of the two a JWT is, its reader says by `typ` and `sub`:
no reader accepts the other's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ..core.values import is_storable
from ..settings import Bounds
from .models import Agent
from .remote_keys import RemoteKeys
from .rotate import retiring_of

#: Never `none`, and never HMAC: a public key is no secret.
ALGORITHMS = ("ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256")
#: Seconds that `exp` may be ahead: so long a `jti` is kept.
MAX_AGE = 300
LEEWAY = 5


@dataclass(frozen=True, slots=True)
class Signed:
    """A JWT whose signature is the agent's. Of what it says, nothing has been looked at."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def find_signed(
    token: str, client: Agent, now: int, bounds: Bounds, remote_keys: RemoteKeys
) -> Signed | None:
    """Return what `client` signed; None for what is not by a key that is its own at `now`."""
    if len(token) > bounds.token_bytes:
        return None
    if client.jwks_uri is None:
        verified = _verify(token, _keys(client.jwks) if client.jwks else None)
        retiring = retiring_of(client, now) if client.jwks else None
        verified = verified or _verify(token, _keys(retiring) if retiring else None)
    else:
        verified = _verify(token, remote_keys.get(client.jwks_uri))
        # The agent may have rotated its key since.
        verified = verified or _verify(token, remote_keys.get(client.jwks_uri, again=True))
    return Signed(verified.headers(), json_object(verified.payload)) if verified else None


def is_good_jti(jti: Any, bounds: Bounds) -> bool:
    """Tell whether it is a text that can be kept."""
    return isinstance(jti, str) and 0 < len(jti) <= bounds.jti_length and is_storable(jti)


def is_within_time(claims: Mapping[str, Any], now: int) -> bool:
    """Tell whether `exp` is ahead and not too far, and `nbf` not ahead where there is one."""
    expires_at: Any = claims.get("exp")
    not_before: Any = claims.get("nbf", 0)
    if not is_number(expires_at) or not is_number(not_before):
        return False
    return bool(now < expires_at <= now + MAX_AGE + LEEWAY and not_before <= now + LEEWAY)


def is_number(value: Any) -> bool:
    """Tell whether it is a number of JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def json_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object that `text` is; empty where it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


@lru_cache(maxsize=4096)
def _keys(jwks: str) -> KeySet:
    return KeySet.import_key_set(json.loads(jwks))


def _verify(token: str, keys: KeySet | None) -> jws.CompactSignature | None:
    if keys is None:
        return None
    try:
        return jws.deserialize_compact(token, keys, list(ALGORITHMS))
    except (JoseError, ValueError, KeyError, TypeError):
        return None
