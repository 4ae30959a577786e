"""The bearer token in a request, and what is answered without a good one (RFC 6750)."""

import re

# RFC 6750 §2.1: b64token. The bound keeps an API from asking about megabytes.
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*")


def find_bearer_token(authorization: str | None) -> str | None:
    """Return the token of an `Authorization` header. :rfc:`6750#section-2.1`."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    is_bearer = scheme.lower() == "bearer" and _B64TOKEN.fullmatch(token)
    return token if is_bearer else None


def challenge(
    error: str | None = None,
    *,
    acr: str | None = None,
    max_age: int | None = None,
    scope: str | None = None,
    resource_metadata: str | None = None,
) -> str:
    """Return the `WWW-Authenticate` header of a refusal. :rfc:`6750#section-3`.

    :param error: `invalid_token` or `insufficient_user_authentication` (401),
        `insufficient_scope` (403); None where no token came
    :param acr: how the person must have signed in, the preferred way first. :rfc:`9470#section-3`
    :param max_age: seconds since then, at most
    :param scope: what the request needs
    :param resource_metadata: where the API tells how to get in. :rfc:`9728#section-5.1`
    """
    told = {
        "error": error,
        "acr_values": acr or None,
        "max_age": max_age,
        "scope": scope or None,
        "resource_metadata": resource_metadata,
    }
    said = {name: value for name, value in told.items() if value is not None}
    parameters = ", ".join(f'{name}="{value}"' for name, value in said.items())
    return f"Bearer {parameters}".rstrip()
