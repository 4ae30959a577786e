"""An agent at one server: it asks a person, takes what it is handed, and asks about tokens."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import httpx

from . import token_requests
from .authentication import SigningKey, credential_of
from .authorization import AuthorizationRequest, ask
from .connection import TIMEOUT, Connection
from .details import Details
from .discovery import discover
from .flow import Flow, run
from .lease import Lease
from .token import Token


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

    def redeem(self, code: str, asked: AuthorizationRequest, resource: str | None = None) -> Token:
        """Return the agent's hold on what the person granted. :rfc:`6749#section-4.1.3`.

        :param resource: an API, for a token for it at once; the refresh token stays the hold's
        :raises OAuthError: when the server refuses
        """
        return self._token(token_requests.redeem(self._connection, code, asked, resource))

    def take(self, handed_over: str, resource: str | None = None) -> Token:
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

    def _token(self, flow: Flow[Lease]) -> Token:
        return self._holding(run(self._http, flow))

    def _holding(self, lease: Lease) -> Token:
        return Token.of(lease, self)

    def _child(self, child: Connection) -> "AgentClient":
        return AgentClient(child, self._http, self._sleep)
