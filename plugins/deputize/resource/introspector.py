"""Asking the server about each token (RFC 7662): what was ended a moment ago is refused now.

A JWT is looked at first, by the server's keys, so that garbage is refused without asking.
It fails closed: a server that can't be asked raises, and never lets anyone in.
"""

import time
from collections.abc import Collection

import httpx

from .checker import AsyncChecker, Checker
from .introspection import Introspection
from .judge import Clock, Judge

LEEWAY = 10  # seconds by which the API's clock may be wrong


class Introspector(Checker):
    """A resource server's way to the server that issues its tokens; threads may share it.

    :param client_id: what the resource server authenticates with, with `client_secret`
    :param http: what requests are sent with, where the usual one does not do
    :param max_age: the seconds for which an ended delegation may still be accepted here: an
        answer is used again for as long. At 0 the server is asked about each request
    :param algorithms: what tokens may be signed with, of `at_jwt.ALGORITHMS`
    :param leeway: the seconds that a token may be expired by this machine's `clock`, before
        the server is asked, by whose clock it must not be
    :param clock: tells unix seconds
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        http: httpx.Client | None = None,
        max_age: float = 0,
        algorithms: Collection[str] = ("ES256",),
        leeway: float = LEEWAY,
        clock: Clock = time.time,
    ) -> None:
        introspection = Introspection(client_id, client_secret, max_age)
        super().__init__(Judge(issuer, introspection, algorithms, leeway, clock), http)


class AsyncIntrospector(AsyncChecker):
    """The same for asyncio: as `Introspector`, and `check` is awaited."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        http: httpx.AsyncClient | None = None,
        max_age: float = 0,
        algorithms: Collection[str] = ("ES256",),
        leeway: float = LEEWAY,
        clock: Clock = time.time,
    ) -> None:
        introspection = Introspection(client_id, client_secret, max_age)
        super().__init__(Judge(issuer, introspection, algorithms, leeway, clock), http)
