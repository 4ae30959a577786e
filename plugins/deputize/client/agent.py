"""An agent and its tokens: ask a person, narrow, hand over, take, spawn, end.

Each token knows the agent that holds it, so that what is done next reads as a sentence:
`hold.narrow(calendar)`, `hold.hand_over("booker", "flights:search")`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import httpx

from . import token_requests
from .asking import Asked, narrow_or_ask, put_question
from .authentication import SigningKey, credential_of
from .authorization import AuthorizationRequest, ask
from .connection import TIMEOUT, Connection
from .details import Details, spelled
from .discovery import discover
from .flow import Flow, run
from .lease import Lease
from .question import Question
from .spawning import spawn


class AgentClient:
    """An agent at one server. Its requests may come from several threads.

    `close` it, or use it in a `with`; agents that it spawned share its connections.
    """

    def __init__(
        self,
        connection: Connection,
        http: httpx.Client,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._connection = connection
        self._http = http
        self._sleep = sleep

    @classmethod
    def discover(
        cls,
        issuer: str,
        client_id: str,
        *,
        key: SigningKey | None = None,
        secret: str | None = None,
        signs_requests: bool = False,
        http: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Self:
        """Return the agent, once the server's metadata has been read.

        :param key: signs its requests (`private_key_jwt`); else `secret` (`client_secret_basic`);
            with neither it is a public client
        :param signs_requests: sign what is asked of people by `key` (CIBA Core §7.1.1)
        :param http: sends its requests, where the usual one does not do; closed with the agent
        :param clock: tells unix seconds, where the machine's clock is not the server's
        :param sleep: waits for so many seconds, between two looks for a person's answer
        :raises ProtocolError: when `issuer` has no metadata of its own
        """
        credential = credential_of(key, secret, signs_requests)
        http = http or httpx.Client(timeout=TIMEOUT)
        try:
            metadata = run(http, discover(issuer))
        except BaseException:
            http.close()
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

    def authorization_url(
        self,
        redirect_uri: str,
        *,
        scope: str,
        resource: Sequence[str],
        authorization_details: Details = None,
        push: bool = False,
    ) -> tuple[str, AuthorizationRequest]:
        """Return the URL at which a person is asked, and what `redeem` needs of it.

        :param resource: the APIs that the agent wants to reach for the person
        :param authorization_details: what it wants there, in more than a word (:rfc:`9396`)
        :param push: send the request to the server first (RFC 9126), so that the browser
            carries a reference alone; always done where the server's metadata requires it
        :raises OAuthError: when the server refuses what was pushed
        """
        told = (redirect_uri, scope, resource, authorization_details)
        return run(self._http, ask(self._connection, *told, push=push))

    def redeem(
        self, code: str, asked: AuthorizationRequest, resource: str | None = None
    ) -> "Token":
        """Return the agent's hold on what the person granted. :rfc:`6749#section-4.1.3`.

        :param resource: an API, for a token for it at once; the refresh token stays the hold's
        :raises OAuthError: when the server refuses
        """
        return self._token(token_requests.redeem(self._connection, code, asked, resource))

    def take(self, handed_over: str, resource: str | None = None) -> "Token":
        """Become the actor of what another agent handed over.

        :param handed_over: the token's value, as the other agent sent it
        :param resource: an API, to use it there; without one, to hold it
        :raises OAuthError: when the server refuses
        """
        target = resource or self.issuer
        return self._token(token_requests.exchange(self._connection, handed_over, resource=target))

    def introspect(self, token: str) -> Mapping[str, Any]:
        """Return what the server says of a token that is the agent's or was handed over to it.

        :raises OAuthError: when the server does not know the agent. :rfc:`7662#section-2`
        """
        return run(self._http, self._connection.post("introspection_endpoint", token=token))

    def close(self) -> None:
        """Close the connections, spawned agents' included."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AgentClient({self.client_id!r} at {self.issuer})"

    def _token(self, flow: Flow[Lease]) -> "Token":
        return self._holding(run(self._http, flow))

    def _holding(self, lease: Lease) -> "Token":
        return Token.of(lease, self)


@dataclass(frozen=True, slots=True)
class Token(Lease):
    """A lease, and the agent that holds it.

    :param agent: who holds it
    """

    agent: AgentClient = field(compare=False, kw_only=True)

    @classmethod
    def of(cls, lease: Lease, agent: AgentClient) -> Self:
        """Return `lease` as a token of `agent`."""
        return cls(*(getattr(lease, told.name) for told in fields(Lease)), agent=agent)

    def narrow(
        self,
        resource: str,
        scope: str | None = None,
        *,
        authorization_details: Details = None,
        message: str | None = None,
    ) -> "Token":
        """Return a token for one API, with `scope` or all that belongs there.

        :param authorization_details: less of what is held; without it all that belong there
        :param message: one line to the person: what only they can let pass is put to them,
            and their word waited for; without it, such a scope is `interaction_required`
        :raises OAuthError: when the server refuses, or the person
        """
        if message is None:
            return self._exchange(authorization_details, resource=resource, scope=scope)
        asked = (resource, scope, message, authorization_details)
        flow = narrow_or_ask(self.agent._connection, self.value, *asked)
        answer = run(self.agent._http, flow)
        if isinstance(answer, Asked):
            return Question(self.agent, answer).wait()
        return self.agent._holding(answer)

    def renew(self) -> "Token":
        """Return a new lease for the same place, with what is still held of it.

        The refresh token stays good, and stays with it.

        :raises OAuthError: when the server refuses: it has expired, or was ended
        """
        return self.agent._token(token_requests.renew(self.agent._connection, self))

    def hand_over(self, to: str, scope: str, *, authorization_details: Details = None) -> "Token":
        """Return what agent `to` may take: good for its exchange and nothing else.

        :param authorization_details: less of what is held; without it all of the scope's
        :raises OAuthError: when the server refuses
        """
        return self._exchange(authorization_details, audience=to, scope=scope)

    def spawn(self, *, scope: str, purpose: str) -> AgentClient:
        """Start a throw-away agent of one's own, ready to be handed part of `scope`.

        :raises OAuthError: when the server refuses
        """
        flow = spawn(self.agent._connection, self.value, scope, purpose)
        return AgentClient(run(self.agent._http, flow), self.agent._http, self.agent._sleep)

    def put_question(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        acr_values: str | None = None,
    ) -> Question:
        """Ask the person for `scope` and return at once, with the question as it waits.

        Asking the same again while it waits makes no second one. CIBA Core §7.

        :param resource: the API; may be left out where every scope is of one
        :param message: one line to the person, shown as the agent's own words
        :param authorization_details: what exactly: "pay 420.00 EUR to Airline X" (:rfc:`9396`)
        :param acr_values: how the person should sign in for it, as an API has asked
        :raises OAuthError: when nobody is asked that
        """
        asked = (scope, resource, message, authorization_details, acr_values)
        flow = put_question(self.agent._connection, self.value, *asked)
        return Question(self.agent, run(self.agent._http, flow))

    def ask(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        timeout: float | None = None,
    ) -> "Token":
        """Ask the person for `scope`, and wait for their word: a token of its own, or a refusal.

        What they approved of the details is in the token's `authorization_details`.

        :raises OAuthError: when nobody is asked that, when they say no, or nothing in time
        :raises TimeoutError: when they have said nothing after `timeout` seconds
        """
        return self.put_question(
            scope, resource, message=message, authorization_details=authorization_details
        ).wait(timeout)

    def refresh(self, resource: str | None = None) -> "Token":
        """Return a new hold; this refresh token is used up. :rfc:`6749#section-6`.

        :raises ValueError: when there is no refresh token
        :raises OAuthError: when the server refuses
        """
        return self.agent._token(token_requests.refresh(self.agent._connection, self, resource))

    def introspect(self) -> Mapping[str, Any]:
        """Return what the server says of it now. :rfc:`7662#section-2.2`."""
        return self.agent.introspect(self.value)

    def revoke(self) -> None:
        """End what it stands for, and all below. :rfc:`7009#section-2`."""
        connection = self.agent._connection
        run(self.agent._http, connection.post("revocation_endpoint", token=self.value))

    def _exchange(self, details: Details, **params: str | None) -> "Token":
        params["authorization_details"] = spelled(details)
        connection = self.agent._connection
        return self.agent._token(token_requests.exchange(connection, self.value, **params))
