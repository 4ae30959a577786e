"""The same agent and tokens for asyncio: each name does what `AgentClient`'s and `Token`'s does.

Nothing but the sending differs: what is asked and how answers are read is shared.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import httpx

from . import token_requests
from .asking import Asked, narrow_or_ask, put_question
from .async_question import AsyncQuestion
from .authentication import SigningKey, credential_of
from .authorization import AuthorizationRequest, ask
from .connection import TIMEOUT, Connection
from .details import Details, spelled
from .discovery import discover
from .flow import Flow, run_async
from .lease import Lease
from .spawning import spawn
from .task_reports import Outcome, Task, report


class AsyncAgentClient:
    """An agent at one server. Its requests may come from several tasks of one event loop.

    `aclose` it, or use it in an `async with`; agents that it spawned share its connections.
    """

    def __init__(
        self,
        connection: Connection,
        http: httpx.AsyncClient,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._http = http
        self._sleep = sleep

    @classmethod
    async def discover(
        cls,
        issuer: str,
        client_id: str,
        *,
        key: SigningKey | None = None,
        secret: str | None = None,
        signs_requests: bool = False,
        http: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> Self:
        """Return the agent: `AgentClient.discover`, awaited."""
        credential = credential_of(key, secret, signs_requests)
        http = http or httpx.AsyncClient(timeout=TIMEOUT)
        try:
            metadata = await run_async(http, discover(issuer))
        except BaseException:
            await http.aclose()
            raise
        return cls(Connection(metadata, client_id, credential, clock, signs_requests), http, sleep)

    @property
    def client_id(self) -> str:
        return self._connection.client_id

    @property
    def issuer(self) -> str:
        return self._connection.metadata.issuer

    @property
    def key(self) -> SigningKey | None:
        """Its key, private half included: what a spawned agent's own process needs."""
        return self._connection.key

    async def authorization_url(
        self,
        redirect_uri: str,
        *,
        scope: str,
        resource: Sequence[str],
        authorization_details: Details = None,
        push: bool = False,
    ) -> tuple[str, AuthorizationRequest]:
        """Return the URL at which a person is asked: `AgentClient.authorization_url`, awaited."""
        told = (redirect_uri, scope, resource, authorization_details)
        return await run_async(self._http, ask(self._connection, *told, push=push))

    async def redeem(
        self, code: str, asked: AuthorizationRequest, resource: str | None = None
    ) -> "AsyncToken":
        """Return the agent's hold: `AgentClient.redeem`, awaited."""
        return await self._token(token_requests.redeem(self._connection, code, asked, resource))

    async def take(self, handed_over: str, resource: str | None = None) -> "AsyncToken":
        """Become the actor of what was handed over: `AgentClient.take`, awaited."""
        target = resource or self.issuer
        flow = token_requests.exchange(self._connection, handed_over, resource=target)
        return await self._token(flow)

    async def introspect(self, token: str) -> Mapping[str, Any]:
        """Return what the server says: `AgentClient.introspect`, awaited."""
        asked = self._connection.post("introspection_endpoint", token=token)
        return await run_async(self._http, asked)

    async def aclose(self) -> None:
        """Close the connections, spawned agents' included."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncAgentClient({self.client_id!r} at {self.issuer})"

    async def _token(self, flow: Flow[Lease]) -> "AsyncToken":
        return self._holding(await run_async(self._http, flow))

    def _holding(self, lease: Lease) -> "AsyncToken":
        return AsyncToken.of(lease, self)


@dataclass(frozen=True, slots=True)
class AsyncToken(Lease):
    """A lease, and the agent that holds it.

    :param agent: who holds it
    """

    agent: AsyncAgentClient = field(compare=False, kw_only=True)

    @classmethod
    def of(cls, lease: Lease, agent: AsyncAgentClient) -> Self:
        """Return `lease` as a token of `agent`."""
        return cls(*(getattr(lease, told.name) for told in fields(Lease)), agent=agent)

    async def narrow(
        self,
        resource: str,
        scope: str | None = None,
        *,
        authorization_details: Details = None,
        message: str | None = None,
    ) -> "AsyncToken":
        """Return a token for one API: `Token.narrow`, awaited."""
        if message is None:
            return await self._exchange(authorization_details, resource=resource, scope=scope)
        asked = (resource, scope, message, authorization_details)
        flow = narrow_or_ask(self.agent._connection, self.value, *asked)
        answer = await run_async(self.agent._http, flow)
        if isinstance(answer, Asked):
            return await AsyncQuestion(self.agent, answer).wait()
        return self.agent._holding(answer)

    async def renew(self) -> "AsyncToken":
        """Return a new lease for the same place: `Token.renew`, awaited."""
        return await self.agent._token(token_requests.renew(self.agent._connection, self))

    async def hand_over(
        self, to: str, scope: str, *, authorization_details: Details = None
    ) -> "AsyncToken":
        """Return what agent `to` may take: `Token.hand_over`, awaited."""
        return await self._exchange(authorization_details, audience=to, scope=scope)

    async def spawn(self, *, scope: str, purpose: str) -> AsyncAgentClient:
        """Start a throw-away agent of one's own: `Token.spawn`, awaited."""
        flow = spawn(self.agent._connection, self.value, scope, purpose)
        child = await run_async(self.agent._http, flow)
        return AsyncAgentClient(child, self.agent._http, self.agent._sleep)

    async def put_question(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        acr_values: str | None = None,
    ) -> AsyncQuestion:
        """Ask the person and return at once: `Token.put_question`, awaited."""
        asked = (scope, resource, message, authorization_details, acr_values)
        flow = put_question(self.agent._connection, self.value, *asked)
        return AsyncQuestion(self.agent, await run_async(self.agent._http, flow))

    async def ask(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as `Token.ask`'s
    ) -> "AsyncToken":
        """Ask the person, and wait for their word: `Token.ask`, awaited."""
        question = await self.put_question(
            scope, resource, message=message, authorization_details=authorization_details
        )
        return await question.wait(timeout)

    async def refresh(self, resource: str | None = None) -> "AsyncToken":
        """Return a new hold: `Token.refresh`, awaited."""
        flow = token_requests.refresh(self.agent._connection, self, resource)
        return await self.agent._token(flow)

    async def task(self) -> Task:
        """Return how the task stands: `Token.task`, awaited."""
        return await self._report()

    async def heartbeat(self) -> Task:
        """Report that the agent is still at work: `Token.heartbeat`, awaited."""
        return await self._report(action="heartbeat")

    async def propose(self, outcome: Outcome) -> Task:
        """Say what came of the task: `Token.propose`, awaited."""
        return await self._report(action="propose", outcome=outcome)

    async def ask_for_time(self, expires_in: int) -> Task:
        """Ask the person for more time: `Token.ask_for_time`, awaited."""
        return await self._report(action="extend", expires_in=expires_in)

    async def introspect(self) -> Mapping[str, Any]:
        """Return what the server says of it now. :rfc:`7662#section-2.2`."""
        return await self.agent.introspect(self.value)

    async def revoke(self) -> None:
        """End what it stands for, and all below. :rfc:`7009#section-2`."""
        asked = self.agent._connection.post("revocation_endpoint", token=self.value)
        await run_async(self.agent._http, asked)

    async def _exchange(self, details: Details, **params: str | None) -> "AsyncToken":
        params["authorization_details"] = spelled(details)
        flow = token_requests.exchange(self.agent._connection, self.value, **params)
        return await self.agent._token(flow)

    async def _report(self, **said: str | int) -> Task:
        return await run_async(self.agent._http, report(self.agent._connection, self, **said))
