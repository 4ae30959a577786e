"""Reading a JWT access token without asking anybody (RFC 9068 §4): is it what it says it is?

Whatever is not is refused here, so that garbage costs the server nothing. Whether what it
stands for is still allowed, a token can't say.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from joserfc import jws
from joserfc.errors import JoseError

from .keys import Keys

TYP = "at+jwt"
ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "RS256", "PS256")

Claims = Mapping[str, Any]


def validate_algorithms(algorithms: Collection[str]) -> frozenset[str]:
    """Return them as a set.

    :raises ValueError: when one is not of `ALGORITHMS`, or there is none
    """
    unknown = set(algorithms) - set(ALGORITHMS)
    if unknown or not algorithms:
        raise ValueError(f"algorithms are of {', '.join(ALGORITHMS)}: not {sorted(unknown)}")
    return frozenset(algorithms)


def is_jwt(token: str) -> bool:
    """Tell a JWT from an opaque token, which has no dots."""
    return "." in token


def find_kid(token: str, algorithms: Collection[str]) -> str | None:
    """Return the id of the key that a token claims to be signed with, unless it is none of ours.

    "One `typ` per verifier": an ID token or a logout token is no access token (RFC 8725 §3.11).
    """
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    kid = header.get("kid")
    is_ours = header.get("typ") == TYP and header.get("alg") in algorithms
    # RFC 7515 §4.1.11: what `crit` names must be understood, and nothing is.
    return kid if is_ours and isinstance(kid, str) and "crit" not in header else None


def verify(token: str, keys: Keys, algorithms: Collection[str]) -> Claims | None:
    """Return the claims of a token whose signature is good, or None."""
    kid = find_kid(token, algorithms)
    key = keys.find(kid) if kid is not None else None
    if key is None:
        return None
    try:
        # A key that names its `alg` (RFC 7517 §4.4) is good for no other; joserfc sees to it.
        claims = json.loads(jws.deserialize_compact(token, key, list(algorithms)).payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def is_current(claims: Claims, now: float, leeway: float) -> bool:
    """Tell whether a token is not expired, and already good. :rfc:`7519#section-4.1.4`."""
    expires_at, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not _is_number(expires_at) or not _is_number(not_before):
        return False
    return not_before - leeway <= now < expires_at + leeway


def is_for(claims: Claims, issuer: str, audience: str) -> bool:
    """Tell whether `issuer` made it for `audience`, to be used by whoever bears it.

    RFC 9449 §7.2: a token that is bound to a key must not be taken as a bearer token.
    """
    named = claims.get("aud")
    # RFC 7519 §4.1.3: one string, or a list of them.
    audiences = named if isinstance(named, list) else [named]
    return claims.get("iss") == issuer and audience in audiences and "cnf" not in claims


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
