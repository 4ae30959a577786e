"""A hold that looks after itself: what an agent keeps for as long as its task lasts.

It renews its token before it expires, keeps the narrow ones made from it, and gets another
when an API refuses one. Threads may share it; one renewal is under way at a time.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator
from threading import Event, Lock, Thread
from typing import Self

import httpx

from .agent import AgentClient, Token
from .details import Details
from .errors import OAuthError, ProtocolError
from .flow import run
from .leases import Leases, Want
from .presenting import may_repeat, present
from .question import Question
from .step_up import StepUp, Wanted


class Hold:
    """One agent's hold on one delegation.

    It renews when it is asked for something. In a `with` it also does so while nobody asks,
    from a thread: an agent that thinks for longer than its token lives needs that, unless
    it has a refresh token.

    :param token: what `redeem` or `take` returned, for the server itself; use it no more
    """

    def __init__(self, token: Token) -> None:
        self.agent = token.agent
        self._leases = Leases(token.agent._connection, token)
        self._lock = Lock()
        self._left = Event()
        self._keeper: Thread | None = None

    def token(self) -> Token:
        """Return the hold's own token, fresh. Its refresh token is the newest.

        :raises OAuthError: when the server refuses: the delegation has ended, or has expired
        """
        return self._get(None)

    def narrow(
        self, resource: str, scope: str | None = None, *, authorization_details: Details = None
    ) -> Token:
        """Return a token for one API, kept or new, and never one that is about to expire.

        :raises OAuthError: when the server refuses
        """
        return self._get(Want.of(resource, scope, authorization_details))

    def auth(
        self,
        resource: str,
        scope: str | None = None,
        *,
        authorization_details: Details = None,
        ask: str | None = None,
        ask_details: Details = None,
    ) -> "ResourceAuth":
        """Return what lets an httpx client into one API: `httpx.Client(auth=hold.auth(...))`.

        Give it to a client that calls that API alone: it shows its token wherever it is sent.

        :param authorization_details: what its tokens hold, as `narrow`'s
        :param ask: one line to the person, who is asked where the API wants their word
            (:rfc:`9470#section-3`); the request waits for it. Without it nobody is asked
        :param ask_details: the authorization details that they are then asked for
        """
        want = Want.of(resource, scope, authorization_details)
        return ResourceAuth(self, want, StepUp(scope, ask, ask_details))

    def put_question(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        acr_values: str | None = None,
    ) -> Question:
        """Ask the person for `scope` and return at once; see `Token.put_question`.

        :raises OAuthError: when nobody is asked that
        """
        return self.token().put_question(
            scope,
            resource,
            message=message,
            authorization_details=authorization_details,
            acr_values=acr_values,
        )

    def ask(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        timeout: float | None = None,
    ) -> Token:
        """Ask the person for `scope`, and wait for their word; see `Token.ask`.

        The hold goes on meanwhile, and keeps nothing of the answer: it is for one thing.

        :raises OAuthError: when nobody is asked that, when they say no, or nothing in time
        :raises TimeoutError: when they have said nothing after `timeout` seconds
        """
        return self.put_question(
            scope, resource, message=message, authorization_details=authorization_details
        ).wait(timeout)

    def drop(self, refused: Token) -> None:
        """Forget a narrow token that its API refused, so that the next one is new."""
        self._leases.drop(refused)

    def hand_over(self, to: str, scope: str, *, authorization_details: Details = None) -> Token:
        """Return what agent `to` may take.

        :raises OAuthError: when the server refuses
        """
        token = self.token()
        return token.hand_over(to, scope, authorization_details=authorization_details)

    def spawn(self, *, scope: str, purpose: str) -> AgentClient:
        """Start a throw-away agent of one's own.

        :raises OAuthError: when the server refuses
        """
        return self.token().spawn(scope=scope, purpose=purpose)

    def revoke(self) -> None:
        """End the delegation and all below it. :rfc:`7009#section-2`."""
        with self._lock:
            run(self.agent._http, self._leases.revoke())

    def __enter__(self) -> Self:
        self._left.clear()
        self._keeper = Thread(target=self._keep, name=f"hold of {self.agent.client_id}")
        self._keeper.daemon = True
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        if self._keeper is not None:
            self._keeper.join()

    def _get(self, want: Want | None) -> Token:
        lease = self._leases.find(want)
        if lease is None:
            with self._lock:
                lease = run(self.agent._http, self._leases.obtain(want))
        return Token.of(lease, self.agent)

    def _keep(self) -> None:
        pause: float | None = self._leases.seconds_left()
        while pause is not None and not self._left.wait(pause):
            pause = self._attempt()

    def _attempt(self) -> float | None:
        """Renew; return the seconds until the next time. Whoever asks next is told a failure."""
        try:
            self.token()
        except (OAuthError, ProtocolError, httpx.HTTPError) as failure:
            return self._leases.pause_after(failure)
        return self._leases.pause_after(None)


class ResourceAuth(httpx.Auth):
    """A hold's token for one API on each request; and, once each, a new one if it is refused,
    and one that the person approved if the API wants that.
    """

    def __init__(self, hold: Hold, want: Want, step_up: StepUp) -> None:
        self._hold = hold
        self._want = want
        self._step_up = step_up

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._token()
        answer = yield present(request, token)
        if may_repeat(request, answer):
            self._hold.drop(token)
            answer = yield present(request, self._token())
        wanted = self._step_up.find_wanted(request, answer)
        if wanted is not None:
            yield present(request, self._approved(wanted))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        # The hold may have to wait for the server: not in the event loop's own thread.
        token = await asyncio.to_thread(self._token)
        answer = yield present(request, token)
        if may_repeat(request, answer):
            self._hold.drop(token)
            answer = yield present(request, await asyncio.to_thread(self._token))
        wanted = self._step_up.find_wanted(request, answer)
        if wanted is not None:
            yield present(request, await asyncio.to_thread(self._approved, wanted))

    def _token(self) -> Token:
        return self._hold._get(self._want)

    def _approved(self, wanted: Wanted) -> Token:
        question = self._hold.put_question(
            wanted.scope,
            self._want.resource,
            message=self._step_up.message,
            authorization_details=self._step_up.details,
            acr_values=wanted.acr_values,
        )
        return question.wait()
