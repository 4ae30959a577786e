"""The same question for asyncio: each name does what `Question`'s does."""

from typing import TYPE_CHECKING

import httpx

from .asking import Asked, poll
from .flow import run_async

if TYPE_CHECKING:
    from .async_agent import AsyncAgentClient, AsyncToken


class AsyncQuestion:
    """What an agent has asked its person. One task at a time may use it.

    A wait that is cancelled leaves the question as it is: it may be waited for again.
    """

    def __init__(self, agent: "AsyncAgentClient", asked: Asked) -> None:
        self._agent = agent
        self._asked = asked

    async def poll(self) -> "AsyncToken | None":
        """Return the token, or None while there is no answer: `Question.poll`, awaited."""
        return await self._poll(0)

    async def _poll(self, wait: float) -> "AsyncToken | None":
        connection = self._agent._connection
        if not self._asked.is_due(connection.now()):
            return None
        answer = await run_async(self._agent._http, poll(connection, self._asked, wait))
        if isinstance(answer, Asked):
            self._asked = answer
            return None
        return self._agent._holding(answer)

    async def wait(self, timeout: float | None = None) -> "AsyncToken":  # noqa: ASYNC109 - as `Question`'s
        """Wait for the person's word: `Question.wait`, awaited."""
        now = self._agent._connection.now
        deadline = self._asked.deadline if timeout is None else now() + timeout
        while True:
            await self._agent._sleep(self._asked.pause(now(), deadline))
            token = await self._poll_patiently(deadline - now())
            if token is not None:
                return token

    async def _poll_patiently(self, wait: float) -> "AsyncToken | None":
        try:
            return await self._poll(wait)
        except httpx.TransportError:
            self._asked = self._asked.polled(self._agent._connection.now()).slower()
            return None

    def __repr__(self) -> str:
        return f"AsyncQuestion({self._asked!r} of {self._agent.client_id!r})"
