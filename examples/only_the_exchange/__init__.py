"""Authlib's own server with the token exchange grant alone: no agents, no pages, no tables.

`TokenExchangeGrant` is pure protocol: it reads the request and shapes the answer. What a
token means is the server's business. Here a client narrows a token that it has.
"""

import time

from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError
from examples import authlib_server
from examples.authlib_server.oauth2 import authorization, query_token
from flask import Flask

from deputize.oauth.rfc8693 import ACCESS_TOKEN_TYPE, ExchangedToken, TokenExchangeGrant

LIFETIME = 300  # seconds


class NarrowingGrant(TokenExchangeGrant):
    """Gives a client less of what it holds, for a shorter time."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)
    SUBJECT_TOKEN_TYPES = REQUESTED_TOKEN_TYPES = frozenset({ACCESS_TOKEN_TYPE})
    ACTOR_TOKEN_TYPES = frozenset()

    def exchange_token(self, client, exchange):
        subject = query_token(exchange.subject_token, "access_token")
        is_live = subject and not subject.is_expired() and not subject.is_revoked()
        if not is_live or not subject.check_client(client):
            raise InvalidRequestError("The subject token is not good.")
        held = set(subject.get_scope().split())
        if not (exchange.scope or held) <= held:
            raise InvalidScopeError()
        scope = " ".join(sorted(exchange.scope or held))
        expires_in = min(LIFETIME, subject.issued_at + subject.expires_in - int(time.time()))
        self.request.user = subject.user
        token = self.generate_token(scope=scope, expires_in=expires_in, include_refresh_token=False)
        self.save_token(token)
        return ExchangedToken(token["access_token"], "Bearer", ACCESS_TOKEN_TYPE, expires_in, scope)


def create_app(database_uri: str, secret_key: str) -> Flask:
    """Make the server, and register one more grant on it."""
    app = authlib_server.create_app(database_uri, secret_key)
    authorization.register_grant(NarrowingGrant)
    return app
