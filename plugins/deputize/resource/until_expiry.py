"""Believing a token until it expires, whatever was ended meanwhile: the server is never asked.

For what five minutes of an ended delegation can't harm. Tokens for one use are opaque, and
refused.
"""

import time
from collections.abc import Collection

import httpx

from .checker import AsyncChecker, Checker
from .introspector import LEEWAY
from .judge import Clock, Judge


class UntilExpiry(Checker):
    """Accepts a token until it expires; threads may share it.

    :param algorithms: what tokens may be signed with, of `at_jwt.ALGORITHMS`
    :param leeway: the seconds for which an expired token is accepted as well, because clocks
        differ
    :param clock: tells unix seconds
    """

    def __init__(
        self,
        issuer: str,
        *,
        http: httpx.Client | None = None,
        algorithms: Collection[str] = ("ES256",),
        leeway: float = LEEWAY,
        clock: Clock = time.time,
    ) -> None:
        super().__init__(Judge(issuer, None, algorithms, leeway, clock), http)


class AsyncUntilExpiry(AsyncChecker):
    """The same for asyncio: as `UntilExpiry`, and `check` is awaited."""

    def __init__(
        self,
        issuer: str,
        *,
        http: httpx.AsyncClient | None = None,
        algorithms: Collection[str] = ("ES256",),
        leeway: float = LEEWAY,
        clock: Clock = time.time,
    ) -> None:
        super().__init__(Judge(issuer, None, algorithms, leeway, clock), http)
