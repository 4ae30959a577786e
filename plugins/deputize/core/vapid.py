"""Saying to a push service who sends, by a key that a browser's subscription is bound to.

:rfc:`8292`: a token for that push service alone, which nobody can use at another. It is no
token of ours: the key signs nothing else, and none of the keys that sign tokens signs this.
"""

import base64
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.jwk import ECKey

from .values import canonical_json
from .web_push import uncompressed

#: Seconds: "the `exp` claim MUST NOT be more than 24 hours from the time of the request" (§2).
LIFETIME = 12 * 3600

_HEADER = {"typ": "JWT", "alg": "ES256"}


def authorization(endpoint: str, key: ECKey, contact: str, now: int) -> str:
    """Return the `Authorization` header of a message to `endpoint` (§3).

    :param contact: a `mailto:` or https URL, for whoever runs the push service (§2.1)
    :param now: NumericDate
    """
    claims = {"aud": origin_of(endpoint), "exp": now + LIFETIME, "sub": contact}
    token = jws.serialize_compact(_HEADER, canonical_json(claims), key)
    return f"vapid t={token}, k={public_key(key)}"


def public_key(key: ECKey) -> str:
    """Return what a browser is told as `applicationServerKey`, as base64url."""
    point = uncompressed(key.public_key)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def origin_of(endpoint: str) -> str:
    """Return the origin of a push resource's URL (:rfc:`6454#section-6.1`)."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"
