"""An agent and its tokens: ask a person, narrow, hand over, take, spawn, end.

Each token knows the agent that holds it, so that what is done next reads as a sentence:
`hold.narrow(calendar)`, `hold.hand_over("booker", "flights:search")`.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from .authentication import ByKey, SigningKey, credential_of
from .authorization import AuthorizationRequest, ask
from .connection import Answer, Connection
from .discovery import discover
from .errors import ProtocolError
from .spawning import spawn

TIMEOUT = 10  # seconds


class AgentClient:
    """An agent at one server. Its requests may come from several threads.

    `close` it, or use it in a `with`; agents that it spawned share its connections.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def discover(
        cls,
        issuer: str,
        client_id: str,
        *,
        key: SigningKey | None = None,
        secret: str | None = None,
        http: httpx.Client | None = None,
    ) -> Self:
        """Return the agent, once the server's metadata has been read.

        :param key: signs its requests (`private_key_jwt`); else `secret` (`client_secret_basic`);
            with neither it is a public client
        :param http: sends its requests, where the usual one does not do; closed with the agent
        :raises ProtocolError: when `issuer` has no metadata of its own
        """
        credential = credential_of(key, secret)
        http = http or httpx.Client(timeout=TIMEOUT)
        try:
            return cls(Connection(discover(http, issuer), client_id, credential, http))
        except BaseException:
            http.close()
            raise

    @property
    def client_id(self) -> str:
        return self._connection.client_id

    @property
    def issuer(self) -> str:
        return self._connection.metadata.issuer

    @property
    def key(self) -> SigningKey | None:
        """Its key, private half included: what a spawned agent's own process needs."""
        credential = self._connection.credential
        return credential.key if isinstance(credential, ByKey) else None

    def authorization_url(
        self, redirect_uri: str, *, scope: str, resource: Sequence[str]
    ) -> tuple[str, AuthorizationRequest]:
        """Return the URL at which a person is asked, and what `redeem` needs of it.

        :param resource: the APIs that the agent wants to reach for the person
        """
        connection = self._connection
        return ask(connection.metadata, self.client_id, redirect_uri, scope, resource)

    def redeem(
        self, code: str, asked: AuthorizationRequest, resource: str | None = None
    ) -> "Token":
        """Return the agent's hold on what the person granted. :rfc:`6749#section-4.1.3`.

        :param resource: an API, for a token for it at once; the refresh token stays the hold's
        :raises OAuthError: when the server refuses
        """
        return self._token_from(
            self._connection.post(
                "token_endpoint",
                grant_type="authorization_code",
                code=code,
                redirect_uri=asked.redirect_uri,
                code_verifier=asked.code_verifier,
                resource=resource,
            )
        )

    def take(self, handed_over: str, resource: str | None = None) -> "Token":
        """Become the actor of what another agent handed over.

        :param handed_over: the token's value, as the other agent sent it
        :param resource: an API, to use it there; without one, to hold it
        :raises OAuthError: when the server refuses
        """
        resource = resource or self.issuer
        return self._token_from(self._connection.exchange(handed_over, resource=resource))

    def introspect(self, token: str) -> Mapping[str, Any]:
        """Return what the server says of a token that is the agent's or was handed over to it.

        :raises OAuthError: when the server does not know the agent. :rfc:`7662#section-2`
        """
        return self._connection.post("introspection_endpoint", token=token)

    def _token_from(self, answer: Answer) -> "Token":
        """Return the token that a token response holds. :rfc:`6749#section-5.1`.

        :raises ProtocolError: when it holds none
        """
        value, expires_in = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not isinstance(expires_in, int):
            raise ProtocolError("the token response has no access_token or no expires_in")
        return Token(
            value=value,
            scope=frozenset(str(answer.get("scope", "")).split()),
            expires_at=datetime.now(UTC) + timedelta(seconds=expires_in),
            refresh_token=answer.get("refresh_token"),
            agent=self,
        )

    def close(self) -> None:
        """Close the connections, spawned agents' included."""
        self._connection.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AgentClient({self.client_id!r} at {self.issuer})"


@dataclass(frozen=True, slots=True)
class Token:
    """A short lease on one delegation. Its value stands in no `repr`.

    :param agent: who holds it
    :param refresh_token: of the root's token alone
    """

    value: str = field(repr=False)
    scope: frozenset[str]
    expires_at: datetime
    agent: AgentClient = field(compare=False)
    refresh_token: str | None = field(default=None, repr=False)

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the token says, unverified: for its holder to read. Empty for an opaque one."""
        parts = self.value.split(".")
        return _decode(parts[1]) if len(parts) == 3 else {}

    @property
    def audience(self) -> str | None:
        """The one place where it is good."""
        return self.claims.get("aud")

    def chain(self) -> tuple[str, ...]:
        """Return who acts, through whom: the current actor first (RFC 8693 §4.1)."""
        return tuple(_actors(self.claims.get("act")))

    def narrow(self, resource: str, scope: str | None = None) -> "Token":
        """Return a token for one API, with `scope` or all that belongs there.

        :raises OAuthError: when the server refuses
        """
        return self._exchange(resource=resource, scope=scope)

    def renew(self) -> "Token":
        """Return a new lease for the same place, with what is still held of it.

        The refresh token stays good, and stays with it.

        :raises OAuthError: when the server refuses: it has expired, or was ended
        """
        return replace(self._exchange(), refresh_token=self.refresh_token)

    def hand_over(self, to: str, scope: str) -> "Token":
        """Return what agent `to` may take: good for its exchange and nothing else.

        :raises OAuthError: when the server refuses
        """
        return self._exchange(audience=to, scope=scope)

    def spawn(self, *, scope: str, purpose: str) -> AgentClient:
        """Start a throw-away agent of one's own, ready to be handed part of `scope`.

        :raises OAuthError: when the server refuses
        """
        return AgentClient(spawn(self.agent._connection, self.value, scope, purpose))

    def refresh(self, resource: str | None = None) -> "Token":
        """Return a new hold; this refresh token is used up. :rfc:`6749#section-6`.

        :raises ValueError: when there is no refresh token
        :raises OAuthError: when the server refuses
        """
        if self.refresh_token is None:
            raise ValueError("only the token that a person's consent gave has a refresh token")
        return self.agent._token_from(
            self.agent._connection.post(
                "token_endpoint",
                grant_type="refresh_token",
                refresh_token=self.refresh_token,
                resource=resource,
            )
        )

    def introspect(self) -> Mapping[str, Any]:
        """Return what the server says of it now. :rfc:`7662#section-2.2`."""
        return self.agent.introspect(self.value)

    def revoke(self) -> None:
        """End what it stands for, and all below. :rfc:`7009#section-2`."""
        self.agent._connection.post("revocation_endpoint", token=self.value)

    def _exchange(self, **params: str | None) -> "Token":
        return self.agent._token_from(self.agent._connection.exchange(self.value, **params))


def _decode(part: str) -> dict[str, Any]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def _actors(act: Any) -> Iterator[str]:
    while isinstance(act, dict):
        yield str(act.get("sub"))
        act = act.get("act")
