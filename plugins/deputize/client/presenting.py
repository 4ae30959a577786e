"""Showing a token to an API, and telling a refused lease from a request that is not allowed.

A 401 with `invalid_token` says that this lease is not good any more; another may be. A 403
says that no lease will do (RFC 6750 §3.1).
"""

import re

import httpx

from .discovery import validate_secure
from .lease import Lease

_INVALID_TOKEN = re.compile(r'\bBearer\b.*\berror="?invalid_token\b', re.IGNORECASE | re.DOTALL)


def present(request: httpx.Request, lease: Lease) -> httpx.Request:
    """Return `request` with the token in its header. :rfc:`6750#section-2.1`.

    :raises ProtocolError: when others could read it on its way
    """
    validate_secure(str(request.url))
    request.headers["Authorization"] = f"Bearer {lease.value}"
    return request


def may_repeat(request: httpx.Request, answer: httpx.Response) -> bool:
    """Tell whether the lease alone was refused, and `request` can be sent once more."""
    said = ", ".join(answer.headers.get_list("WWW-Authenticate"))
    is_refused = answer.status_code == 401 and _INVALID_TOKEN.search(said) is not None
    return is_refused and can_be_sent_again(request)


def can_be_sent_again(request: httpx.Request) -> bool:
    """Tell whether its body is still there: one that is streamed is gone once it was sent."""
    return isinstance(request.stream, httpx.ByteStream)
