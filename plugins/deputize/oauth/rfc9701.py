"""JWT answers to introspection (RFC 9701): an answer that its reader can show to others.

The answer is one member of the JWT, which has a type of its own and neither `sub` nor
`exp`: so that nobody takes it for an access token (§5, RFC 8725 §3.11).
"""

from collections.abc import Mapping
from typing import Any

MEDIA_TYPE = "application/token-introspection+jwt"
TYP = "token-introspection+jwt"


def is_jwt_asked_for(accept: str) -> bool:
    """Tell whether the `Accept` header asks for a JWT by name. :rfc:`9701#section-4`."""
    return any(_names_it(each) for each in accept.split(","))


def _names_it(media_range: str) -> bool:
    # RFC 9110 §12.4.2: "a value of 0 means 'not acceptable'".
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    return name == MEDIA_TYPE and not any(_is_zero(p) for p in parameters)


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name == "q" and not value.strip("0. ")


def introspection_claims(
    issuer: str, audience: list[str], answer: Mapping[str, Any], now: int
) -> dict[str, Any]:
    """Return the claims of the JWT that holds `answer`. :rfc:`9701#section-5`.

    :param audience: who asked
    :param now: NumericDate
    """
    return {"iss": issuer, "aud": audience, "iat": now, "token_introspection": dict(answer)}
