"""The two ways to check a token: from a thread, and from a task. What is checked is shared.

The server's metadata and keys are read by one at a time, however many wait for them.
"""

import asyncio
from threading import Lock

import httpx

from .access import Access
from .flow import run, run_async
from .judge import Judge

TIMEOUT = 5  # seconds


class Checker:
    """Tells what a token allows; threads may share it. `Introspector` is the usual one."""

    def __init__(self, judge: Judge, http: httpx.Client | None) -> None:
        self.issuer = judge.issuer
        self._judge = judge
        self._http = http or httpx.Client(timeout=TIMEOUT)
        self._lock = Lock()

    def check(self, token: str | None, audience: str) -> Access | None:
        """Return what the bearer of `token` may do at `audience`, or None for nothing.

        :param audience: this resource server's identifier, as tokens name it in `aud`
        :raises IntrospectionError: when the server can't be asked
        """
        if token and self._judge.is_unprepared(token):
            with self._lock:
                if self._judge.is_unprepared(token):
                    run(self._http, self._judge.prepare(token))
        return run(self._http, self._judge.judge(token, audience))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AsyncChecker:
    """Tells what a token allows; the tasks of one event loop may share it."""

    def __init__(self, judge: Judge, http: httpx.AsyncClient | None) -> None:
        self.issuer = judge.issuer
        self._judge = judge
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT)
        self._lock = asyncio.Lock()

    async def check(self, token: str | None, audience: str) -> Access | None:
        """Return what the bearer of `token` may do: `Checker.check`, awaited."""
        if token and self._judge.is_unprepared(token):
            async with self._lock:
                if self._judge.is_unprepared(token):
                    await run_async(self._http, self._judge.prepare(token))
        return await run_async(self._http, self._judge.judge(token, audience))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
