"""Target (b): a server as Authlib's documentation shows, with the least possible exchange.

The server is `examples/authlib_server`; the grant finds the subject token in the token
table, sees that it is active and stores a new one. No signature, no chain, no delegation.
Its database keeps the journal mode that the documentation leaves it with.
"""

import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from examples.authlib_server import create_app as create_documented_app
from examples.authlib_server.models import OAuth2Client, OAuth2Token, User, db
from examples.authlib_server.oauth2 import authorization
from flask import Flask

from .postgres import Postgres
from .target import (
    AGENT,
    AGENT_SECRET,
    API,
    API_SECRET,
    SCOPE,
    TOKENS,
    Operation,
    granian,
    post,
)

DATABASE_VARIABLE = "AUTHLIB_DOCS_DATABASE"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SET_UP_LIFETIME = 3600


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):
    """RFC 8693 for subject tokens of our own, and no more than works."""

    GRANT_TYPE = EXCHANGE

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError()
        form = self.request.form
        subject = find_token(form.get("subject_token"))
        if not subject or subject.is_expired() or subject.is_revoked():
            raise InvalidRequestError("The subject token is not active.")
        scope = form.get("scope") or subject.get_scope()
        if not set(scope.split()) <= set(subject.get_scope().split()):
            raise InvalidScopeError()
        self.request.client, self.request.user, self.scope = client, subject.user, scope

    def create_token_response(self) -> Any:
        token = self.generate_token(
            user=self.request.user, scope=self.scope, include_refresh_token=False
        )
        authorization.save_token(token, self.request)
        answer = {**token, "issued_token_type": ACCESS_TOKEN}
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def find_token(access_token: str | None) -> OAuth2Token | None:
    return OAuth2Token.query.filter_by(access_token=access_token).first()


def create_app() -> Flask:
    app = create_documented_app(os.environ[DATABASE_VARIABLE], "signs nothing here")
    authorization.register_grant(TokenExchangeGrant)
    return app


class AuthlibDocsTarget:
    name = "authlib docs"
    operations = frozenset(
        {Operation.EXCHANGE, Operation.INTROSPECTION, Operation.CLIENT_CREDENTIALS}
    )

    def __init__(self, data: Path, port: int, database: Postgres | None = None) -> None:
        self.data, self.port, self.database = data, port, database
        own = f"sqlite:///{data / 'authlib.db'}"
        self.url = database.create_database() if database else own
        self.tokens = [uuid4().hex for _ in range(TOKENS)]

    def set_up(self) -> None:
        app = create_documented_app(self.url, "signs nothing here")
        with app.app_context():
            db.session.add(User(id=1, username="ana"))
            db.session.add(client(AGENT, AGENT_SECRET, SCOPE))
            db.session.add(client(API, API_SECRET, "introspection"))
            db.session.add_all(map(subject_token, self.tokens))
            db.session.commit()
            db.engine.dispose()

    def command(self, workers: int) -> list[str]:
        return granian("benchmarks.authlib_docs:create_app", self.port, workers)

    def environment(self) -> dict[str, str]:
        return {DATABASE_VARIABLE: self.url}

    def requests(self, operation: Operation, limit: int) -> Iterator[bytes]:
        builders = {
            Operation.EXCHANGE: exchange,
            Operation.INTROSPECTION: self.introspection,
            Operation.CLIENT_CREDENTIALS: client_credentials,
        }
        return cycle([builders[operation](token) for token in self.tokens])

    def introspection(self, token: str) -> bytes:
        form = {"token": token, "token_type_hint": "access_token"}
        return post("/oauth/introspect", form, API, API_SECRET)


def exchange(token: str) -> bytes:
    form = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "scope": SCOPE,
    }
    return post("/oauth/token", form, AGENT, AGENT_SECRET)


def client_credentials(_token: str) -> bytes:
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    return post("/oauth/token", form, AGENT, AGENT_SECRET)


def client(client_id: str, secret: str, scope: str) -> OAuth2Client:
    row = OAuth2Client(client_id=client_id, client_secret=secret)
    row.set_client_metadata(
        {
            "client_name": client_id,
            "grant_types": ["client_credentials", EXCHANGE],
            "scope": scope,
            "token_endpoint_auth_method": "client_secret_basic",
        }
    )
    return row


def subject_token(access_token: str) -> OAuth2Token:
    return OAuth2Token(
        client_id=AGENT,
        user_id=1,
        token_type="Bearer",
        access_token=access_token,
        scope=SCOPE,
        expires_in=SET_UP_LIFETIME,
    )
