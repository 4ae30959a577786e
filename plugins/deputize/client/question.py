"""A question that waits for its person: look for the answer, or wait for it.

It outlives whatever interrupts the wait. An answer whose reply was lost is given again for
half a minute, to whoever still has the question.
"""

from typing import TYPE_CHECKING

import httpx

from .asking import Asked, poll
from .flow import run

if TYPE_CHECKING:
    from .agent import AgentClient
    from .token import Token


class Question:
    """What an agent has asked its person. One thread at a time may use it."""

    def __init__(self, agent: "AgentClient", asked: Asked) -> None:
        self._agent = agent
        self._asked = asked

    def poll(self) -> "Token | None":
        """Return the token if the person has said yes, or None while they have said nothing.

        Called again too soon, it asks nobody.

        :raises OAuthError: `access_denied` where they said no, `expired_token` where they
            said nothing in time
        """
        return self._poll(0)

    def _poll(self, wait: float) -> "Token | None":
        connection = self._agent._connection
        if not self._asked.is_due(connection.now()):
            return None
        answer = run(self._agent._http, poll(connection, self._asked, wait))
        if isinstance(answer, Asked):
            self._asked = answer
            return None
        return self._agent._holding(answer)

    def wait(self, timeout: float | None = None) -> "Token":
        """Wait for the person's word; a yes is returned.

        The server is asked as often as it allows, and to hold its answer until there is one.

        A server that is away for a moment is asked again.

        :param timeout: seconds; without it, for as long as the person may answer
        :raises OAuthError: `access_denied`, `expired_token`
        :raises TimeoutError: when there is no answer after `timeout`; it may still come
        """
        now = self._agent._connection.now
        deadline = self._asked.deadline if timeout is None else now() + timeout
        while True:
            self._agent._sleep(self._asked.pause(now(), deadline))
            token = self._poll_patiently(deadline - now())
            if token is not None:
                return token

    def _poll_patiently(self, wait: float) -> "Token | None":
        try:
            return self._poll(wait)
        except httpx.TransportError:
            # CIBA Core §11 bounds how often, and a server that is back has other callers too.
            self._asked = self._asked.polled(self._agent._connection.now()).slower()
            return None

    def __repr__(self) -> str:
        return f"Question({self._asked!r} of {self._agent.client_id!r})"
