"""Token exchange (:rfc:`8693`).

A client presents a token that represents a subject, and gets another one for it::

    +--------+  subject_token [, actor_token], resource, scope   +---------------+
    | client | ------------------------------------------------> | authorization |
    |        | <------------------------------------------------ |    server     |
    +--------+    access_token, issued_token_type, scope         +---------------+

The grant reads and validates the request; what a token means, and what is issued for
it, is the subclass's business (:meth:`TokenExchangeGrant.exchange_token`).
"""

from dataclasses import dataclass
from typing import Any

from .errors import InvalidRequestError, InvalidTargetError
from .grant import TokenGrant
from .rfc9396 import Detail

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type (§3)
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"


@dataclass(frozen=True, slots=True)
class TokenExchange:
    """The parameters of a token exchange request. :rfc:`8693#section-2.1`.

    :param scope: None where the request names none
    :param authorization_details: likewise (RFC 9396 §6)
    """

    subject_token: str
    subject_token_type: str
    actor_token: str | None = None
    actor_token_type: str | None = None
    requested_token_type: str | None = None
    resource: str | None = None
    audience: str | None = None
    scope: frozenset[str] | None = None
    authorization_details: tuple[Detail, ...] | None = None


@dataclass(frozen=True, slots=True)
class ExchangedToken:
    """What a token exchange gives. :rfc:`8693#section-2.2.1`.

    :param expires_in: seconds
    :param authorization_details: what the token holds (:rfc:`9396#section-7`)
    """

    token: str
    token_type: str
    issued_token_type: str
    expires_in: int
    scope: str
    authorization_details: tuple[Detail, ...] = ()

    def to_response(self) -> dict[str, Any]:
        details = self.authorization_details
        return {
            "access_token": self.token,
            "issued_token_type": self.issued_token_type,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
            "scope": self.scope,
        } | ({"authorization_details": details} if details else {})


class TokenExchangeGrant(TokenGrant):
    """The token exchange grant. Subclasses implement :meth:`exchange_token`.

    One target for one token: a request for several is refused, so that no token is
    good at two places.
    """

    GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"

    TAKES_AUDIENCE = True
    UNAUTHORIZED = "The client may not exchange tokens."

    #: Types of subject and actor tokens that are understood.
    SUBJECT_TOKEN_TYPES = frozenset({ACCESS_TOKEN_TYPE, JWT_TYPE})
    ACTOR_TOKEN_TYPES = frozenset({ACCESS_TOKEN_TYPE, JWT_TYPE})

    #: Types of token that can be asked for.
    REQUESTED_TOKEN_TYPES = frozenset({ACCESS_TOKEN_TYPE, JWT_TYPE})

    def read_request(self) -> None:
        self.exchange = self.validate_exchange_request()

    def issue_token(self) -> dict[str, Any]:
        """Issue the token, never with a refresh token. :rfc:`8693#section-2.2.1`."""
        return self.exchange_token(self.request.client, self.exchange).to_response()

    def validate_exchange_request(self) -> TokenExchange:
        """Return the request's parameters.

        :raises InvalidRequestError: for a missing one or an unknown type
        :raises InvalidTargetError: for more than one target (§2.2.2)
        """
        exchange = TokenExchange(
            subject_token=self.required("subject_token"),
            subject_token_type=self.required("subject_token_type"),
            actor_token=self.form.get("actor_token"),
            actor_token_type=self.form.get("actor_token_type"),
            requested_token_type=self.form.get("requested_token_type"),
            resource=self.single("resource"),
            audience=self.single("audience"),
            scope=self.scope(),
            authorization_details=self.authorization_details(),
        )
        if exchange.resource and exchange.audience:
            raise InvalidTargetError("A token is for one target: name one resource or audience.")
        self.validate_token_types(exchange)
        return exchange

    def validate_token_types(self, exchange: TokenExchange) -> None:
        """Refuse token types that are not understood. :rfc:`8693#section-3`."""
        if exchange.subject_token_type not in self.SUBJECT_TOKEN_TYPES:
            raise InvalidRequestError("That subject_token_type is not supported.")
        # "actor_token_type ... REQUIRED when the actor_token parameter is present in the
        # request but MUST NOT be included otherwise."
        if (exchange.actor_token is None) != (exchange.actor_token_type is None):
            raise InvalidRequestError("actor_token and actor_token_type come together.")
        if exchange.actor_token_type not in {None, *self.ACTOR_TOKEN_TYPES}:
            raise InvalidRequestError("That actor_token_type is not supported.")
        if exchange.requested_token_type not in {None, *self.REQUESTED_TOKEN_TYPES}:
            raise InvalidRequestError("That requested_token_type is not supported.")

    # -- hooks ------------------------------------------------------------------

    def exchange_token(self, client: Any, exchange: TokenExchange) -> ExchangedToken:
        """Return the token that `client` gets for `exchange`.

        Developers MUST implement this: validate the subject token and the actor token,
        decide whether the client may act for the subject (`may_act`, §4.4), and issue a
        token whose scope and target are within the subject token's::

            def exchange_token(self, client, exchange):
                subject = verify(exchange.subject_token)
                if subject is None:
                    raise InvalidRequestError("The subject token is not good.")
                return ExchangedToken(sign(subject, act={"sub": client.client_id}), ...)
        """
        raise NotImplementedError()
