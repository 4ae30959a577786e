"""The keys that an agent registers (RFC 7517), checked before they are stored. Pure."""

from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from ..core.refusal import Refusal
from ..core.values import canonical_json

MAX_KEYS = 10
MIN_RSA_BITS = 2048

#: RFC 7518 §6.2.2, §6.3.2 and RFC 8037 §2: a public key has none of these; `k` is a secret.
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_RULE = "registration.jwks"


def read_jwks(jwks: Any) -> str:
    """Return the canonical text of a JWK set.

    :raises Refusal: `registration.jwks` for private or symmetric members, weak or unknown
        keys, none, or more than ten
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise Refusal(_RULE, "jwks holds 1 to 10 keys.")
    public = [_read_key(key) for key in keys]
    return canonical_json({"keys": public}).decode()


def thumbprints(jwks: Any) -> list[str]:
    """Return the RFC 7638 thumbprints of the keys of a set that `read_jwks` accepts."""
    return [JWKRegistry.import_key(key).thumbprint() for key in jwks["keys"]]


def _read_key(key: Any) -> dict[str, Any]:
    if not isinstance(key, dict) or _PRIVATE_MEMBERS & key.keys():
        raise Refusal(_RULE, "jwks holds public keys only.")
    try:
        imported = JWKRegistry.import_key(key)
        if not _is_strong(imported):
            raise Refusal(_RULE, "A key is of a kind or size that is not accepted.")
        stored: dict[str, Any] = {n: v for n, v in key.items() if isinstance(v, str)}
        canonical_json(stored)
        JWKRegistry.import_key(stored).thumbprint()
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise Refusal(_RULE, "A key of jwks cannot be read.") from None
    return stored


def _is_strong(key: Any) -> bool:
    if isinstance(key, RSAKey):
        return bool(key.public_key.key_size >= MIN_RSA_BITS)
    if isinstance(key, ECKey):
        return key.curve_name in ("P-256", "P-384")
    return isinstance(key, OKPKey) and key.curve_name == "Ed25519"
