"""The same hold for asyncio: each name does what `Hold`'s does.

A task that is cancelled while it waits for a renewal leaves that renewal running: a refresh
token whose answer nobody reads would be lost, and its second use ends the delegation.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import suppress
from typing import Any, Self, TypeVar

import httpx

from .async_agent import AsyncAgentClient, AsyncToken
from .async_question import AsyncQuestion
from .details import Details
from .errors import OAuthError, ProtocolError
from .flow import Flow, run_async
from .leases import Leases, Want
from .presenting import may_repeat, present
from .step_up import StepUp, Wanted
from .task_reports import Outcome, Task
from .upkeep import Upkeep

T = TypeVar("T")


class AsyncHold:
    """One agent's hold on one delegation; the tasks of one event loop may share it.

    In an `async with` it renews while nobody asks, too, and reports on its task as `Hold` does.

    :param token: what `redeem` or `take` returned, for the server itself; use it no more
    """

    def __init__(self, token: AsyncToken) -> None:
        self.agent = token.agent
        self._leases = Leases(token.agent._connection, token)
        self._lock = asyncio.Lock()
        self._upkeep = Upkeep(self._leases)
        self._woken = asyncio.Event()
        self._running: set[asyncio.Task[Any]] = set()
        self._keeper: asyncio.Task[None] | None = None

    async def token(self) -> AsyncToken:
        """Return the hold's own token, fresh: `Hold.token`, awaited."""
        return await self._get(None)

    async def narrow(
        self, resource: str, scope: str | None = None, *, authorization_details: Details = None
    ) -> AsyncToken:
        """Return a token for one API, kept or new: `Hold.narrow`, awaited."""
        return await self._get(Want.of(resource, scope, authorization_details))

    def auth(
        self,
        resource: str,
        scope: str | None = None,
        *,
        authorization_details: Details = None,
        ask: str | None = None,
        ask_details: Details = None,
    ) -> "AsyncResourceAuth":
        """Return what lets an `httpx.AsyncClient` into one API; see `Hold.auth`."""
        want = Want.of(resource, scope, authorization_details)
        return AsyncResourceAuth(self, want, StepUp(scope, ask, ask_details))

    async def put_question(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        acr_values: str | None = None,
    ) -> AsyncQuestion:
        """Ask the person and return at once: `Hold.put_question`, awaited."""
        return await (await self.token()).put_question(
            scope,
            resource,
            message=message,
            authorization_details=authorization_details,
            acr_values=acr_values,
        )

    async def ask(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as `Hold.ask`'s
    ) -> AsyncToken:
        """Ask the person, and wait for their word: `Hold.ask`, awaited."""
        question = await self.put_question(
            scope, resource, message=message, authorization_details=authorization_details
        )
        return await question.wait(timeout)

    def drop(self, refused: AsyncToken) -> None:
        """Forget a narrow token that its API refused, so that the next one is new."""
        self._leases.drop(refused)

    async def hand_over(
        self, to: str, scope: str, *, authorization_details: Details = None
    ) -> AsyncToken:
        """Return what agent `to` may take: `Hold.hand_over`, awaited."""
        token = await self.token()
        return await token.hand_over(to, scope, authorization_details=authorization_details)

    async def spawn(self, *, scope: str, purpose: str) -> AsyncAgentClient:
        """Start a throw-away agent of one's own: `Hold.spawn`, awaited."""
        return await (await self.token()).spawn(scope=scope, purpose=purpose)

    async def task(self) -> Task:
        """Return how the task stands: `Hold.task`, awaited."""
        return self._noted(await (await self.token()).task())

    async def heartbeat(self) -> Task:
        """Report that the agent is still at work: `Hold.heartbeat`, awaited."""
        return self._noted(await (await self.token()).heartbeat())

    async def propose(self, outcome: Outcome) -> Task:
        """Say what came of the task: `Hold.propose`, awaited."""
        return self._noted(await (await self.token()).propose(outcome))

    async def ask_for_time(self, expires_in: int) -> Task:
        """Ask the person for more time: `Hold.ask_for_time`, awaited."""
        return self._noted(await (await self.token()).ask_for_time(expires_in))

    async def revoke(self) -> None:
        """End the delegation and all below it. :rfc:`7009#section-2`."""
        await self._finish(self._alone(self._leases.revoke()))

    async def __aenter__(self) -> Self:
        self._upkeep.begin()
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def _get(self, want: Want | None) -> AsyncToken:
        lease = self._leases.find(want)
        if lease is None:
            lease = await self._finish(self._alone(self._leases.obtain(want)))
        return AsyncToken.of(lease, self.agent)

    async def _alone(self, flow: Flow[T]) -> T:
        async with self._lock:
            return await run_async(self.agent._http, flow)

    async def _finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`, which goes on to its end though its waiter be cancelled."""
        task = asyncio.create_task(work)
        self._running.add(task)  # the event loop itself keeps weak references alone
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    def _noted(self, told: Task) -> Task:
        self._upkeep.note(told)
        self._woken.set()
        return told

    async def _keep(self) -> None:
        pause = self._upkeep.pause()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            self._woken.clear()
            pause = await self._attempt()

    async def _attempt(self) -> float | None:
        """Do what is due, as `Hold._attempt`; return the seconds until the next time."""
        if self._upkeep.rests:
            return None
        try:
            token = await self.token()
            if self._upkeep.is_report_due():
                self._upkeep.heard(token, await token.heartbeat())
        except (OAuthError, ProtocolError, httpx.HTTPError) as failure:
            return self._upkeep.pause_after(failure)
        return self._upkeep.pause_after(None)


class AsyncResourceAuth(httpx.Auth):
    """A hold's token for one API on each request; as `ResourceAuth`."""

    def __init__(self, hold: AsyncHold, want: Want, step_up: StepUp) -> None:
        self._hold = hold
        self._want = want
        self._step_up = step_up

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._token()
        answer = yield present(request, token)
        if may_repeat(request, answer):
            self._hold.drop(token)
            answer = yield present(request, await self._token())
        wanted = self._step_up.find_wanted(request, answer)
        if wanted is not None:
            yield present(request, await self._approved(wanted))

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        raise TypeError("the auth of an AsyncHold is for httpx.AsyncClient; a Hold's is for both")

    async def _token(self) -> AsyncToken:
        return await self._hold._get(self._want)

    async def _approved(self, wanted: Wanted) -> AsyncToken:
        question = await self._hold.put_question(
            wanted.scope,
            self._want.resource,
            message=self._step_up.message,
            authorization_details=self._step_up.details,
            acr_values=wanted.acr_values,
        )
        return await question.wait()
