"""Asking whether what a token stands for is still allowed (RFC 7662).

Nothing is kept unless a window is given, in seconds: the time for which the API may go on
accepting what was ended. Within it an answer is never older, and never outlives its token;
that a token is not active is never kept, nor anything about an opaque one, which may be
good for one use.
"""

import base64
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock
from typing import Any
from urllib.parse import quote_plus

from .access import Access, read_access
from .errors import IntrospectionError
from .flow import Ask, Flow

KEPT = 1024  # answers; the oldest goes first


class Introspection:
    """What a resource server asks with, and the answers that it keeps.

    :param max_age: seconds for which an answer may be used again; 0 for never
    """

    def __init__(self, client_id: str, client_secret: str, max_age: float) -> None:
        if not 0 <= max_age <= 3600:
            raise ValueError("max_age is between 0 and 3600 seconds")
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        self._authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._max_age = max_age
        self._kept: OrderedDict[bytes, tuple[float, Access]] = OrderedDict()
        self._lock = Lock()

    def find(self, token: str, now: float) -> Access | None:
        """Return what was answered about `token` a moment ago."""
        if not self._max_age:
            return None
        with self._lock:
            good_until, access = self._kept.get(_name(token), (0.0, None))
        return access if now < good_until else None

    def ask(self, endpoint: str, token: str) -> Flow[Access | None]:
        """Return what `token` may do now, or None when it is not active.

        :raises IntrospectionError: when the answer lacks what decides
        """
        form = {"token": token, "token_type_hint": "access_token"}
        headers = {"Authorization": self._authorization}
        claims = yield Ask("POST", endpoint, form=form, headers=headers)
        return _read(claims) if claims.get("active") is True else None

    def keep(self, token: str, access: Access, asked_at: float) -> None:
        """Keep an answer for `max_age`, counted from before it was asked for."""
        if not self._max_age:
            return
        good_until = min(asked_at + self._max_age, access.expires_at.timestamp())
        with self._lock:
            self._kept[_name(token)] = good_until, access
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)


def _read(claims: Mapping[str, Any]) -> Access:
    try:
        return read_access(claims)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise IntrospectionError("the answer lacks what decides") from error


def _name(token: str) -> bytes:
    return sha256(token.encode()).digest()
