"""`id_token_hint`: an ID token of ours that comes back, to say who is meant and who asks.

It identifies, and authenticates nobody: it went through the client. An expired one is good
(RP-Initiated Logout 1.0, section 2), one of a retired key is not.
"""

import re
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from joserfc import jws, jwt
from joserfc.errors import JoseError

from .keys import ALGORITHM, find_verification_key
from .settings import current_settings

KID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # no other text reaches the database
REFUSED = "id_token_hint is not an ID token of this server."
NOT_A_TOKEN = (JoseError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True)
class Hint:
    """What an ID token says.

    :param auth_time: when the person had signed in, unix seconds
    """

    person_id: str
    client_id: str
    auth_time: int


def read_hint(token: str) -> Hint:
    """The person, client and sign-in that an ID token names.

    :raises InvalidRequestError: unless this server signed it, as an ID token, with a key that
        is not retired.
    """
    claims = _verified(token)
    if claims is None or claims.get("iss") != current_settings().issuer:
        raise InvalidRequestError(REFUSED)
    return Hint(claims["sub"], claims["aud"], claims["auth_time"])


def _verified(token: str) -> dict[str, Any] | None:
    try:
        header = jws.extract_compact(token.encode()).headers()
        kid = header.get("kid", "")
        key = find_verification_key(kid) if KID.fullmatch(kid) else None
        # "One `typ` per verifier" (:rfc:`8725#section-3.11`).
        if key is None or header.get("typ") != "JWT":
            return None
        return jwt.decode(token, key, algorithms=[ALGORITHM]).claims
    except NOT_A_TOKEN:
        return None
