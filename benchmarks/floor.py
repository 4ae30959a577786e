"""The floor: a bare WSGI app that verifies, signs and stores, and does nothing else.

No framework, no ORM, no rules about scope, audience or chain: an exchange here is
what no server that keeps a durable, signed record of it can do without. Keys are
imported once and statements go straight to `sqlite3`.
"""

import json
import os
import sqlite3
import time
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from .floor_store import (
    INSERT_ASSERTION,
    INSERT_DELEGATION,
    INSERT_EVENT,
    SELECT_CALLER_AND_DELEGATION,
    SELECT_CLIENT,
    SELECT_DELEGATION,
    Store,
)

DATA_VARIABLE = "FLOOR_DATA"
ISSUER = "https://floor.example"
RESOURCE = "https://calendar.example"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
LIFETIME = 300

Claims = dict[str, Any]
Form = dict[str, str]


class OAuthError(Exception):
    """An OAuth error: the HTTP status and the code of RFC 6749 §5.2."""

    def __init__(self, status: str, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


@dataclass(frozen=True)
class Caller:
    """The authenticated client, and the assertion that it used up, if any."""

    client_id: str
    assertion: tuple[str, int] | None = None


class Floor:
    """The app and its three operations."""

    def __init__(self, data: Path) -> None:
        self.store = Store(data / "floor.db")
        self.key = ECKey.import_key(json.loads((data / "floor.jwk").read_text()))
        self.header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            status, answer = "200 OK", self.answer(environ)
        except OAuthError as error:
            status, answer = error.status, {"error": error.error}
        body = json.dumps(answer).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("Content-Length", str(len(body))),
        ]
        start_response(status, headers)
        return [body]

    def answer(self, environ: dict[str, Any]) -> Claims:
        form = read_form(environ)
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if environ["PATH_INFO"] == "/introspect":
            return self.introspect(form, authorization)
        caller = self.authenticate(form, authorization)
        if form.get("grant_type") == EXCHANGE:
            return self.exchange(form, caller)
        return self.client_credentials(form, caller)

    def exchange(self, form: Form, caller: Caller) -> Claims:
        subject = self.verify(form["subject_token"])
        parent = self.store.find(SELECT_DELEGATION, subject["delegation_id"])
        scope = form.get("scope") or subject["scope"]
        if not is_alive(parent) or not set(scope.split()) <= set(parent[0].split()):
            raise OAuthError("400 Bad Request", "invalid_request")

        delegation_id, now = uuid4().hex, int(time.time())
        expires_at = min(now + LIFETIME, parent[1])
        act = {"sub": caller.client_id, "act": subject["act"]}
        claims = {"sub": subject["sub"], "act": act, "delegation_id": delegation_id}
        token = self.sign(claims, caller.client_id, scope, now, expires_at)
        row = (delegation_id, subject["delegation_id"], caller.client_id, subject["sub"])
        with self.store.writing() as connection:
            use_assertion(connection, caller)
            connection.execute(INSERT_DELEGATION, (*row, scope, expires_at))
            record(connection, now, "delegation.issued", {"id": delegation_id, "act": act})
        return token_answer(token, scope, expires_at - now) | {"issued_token_type": ACCESS_TOKEN}

    def client_credentials(self, form: Form, caller: Caller) -> Claims:
        scope, now = form["scope"], int(time.time())
        claims = {"sub": caller.client_id}
        token = self.sign(claims, caller.client_id, scope, now, now + LIFETIME)
        with self.store.writing() as connection:
            use_assertion(connection, caller)
            record(connection, now, "token.issued", {"client_id": caller.client_id})
        return token_answer(token, scope, LIFETIME)

    def introspect(self, form: Form, authorization: str) -> Claims:
        # The signature needs no row, so one read answers for the caller and for the token.
        client_id, secret = basic(authorization)
        claims = self.verify(form["token"])
        row = self.store.find(SELECT_CALLER_AND_DELEGATION, claims["delegation_id"], client_id)
        validate_secret(secret, row)
        return claims | {"active": True} if is_alive(row[1:]) else {"active": False}

    def authenticate(self, form: Form, authorization: str) -> Caller:
        if "client_assertion" in form:
            return self.authenticate_assertion(form["client_id"], form["client_assertion"])
        client_id, secret = basic(authorization)
        validate_secret(secret, self.store.find(SELECT_CLIENT, client_id))
        return Caller(client_id)

    def authenticate_assertion(self, client_id: str, assertion: str) -> Caller:
        row = self.store.find(SELECT_CLIENT, client_id)
        claims = decode(assertion, public_key(row[1])) if row else {}
        if claims.get("sub") != client_id or claims.get("aud") != ISSUER:
            raise OAuthError("401 Unauthorized", "invalid_client")
        return Caller(client_id, (claims["jti"], claims["exp"]))

    def verify(self, token: str) -> Claims:
        claims = decode(token, self.key)
        if claims.get("iss") != ISSUER:
            raise OAuthError("400 Bad Request", "invalid_request")
        return claims

    def sign(self, claims: Claims, client_id: str, scope: str, now: int, expires_at: int) -> str:
        common = {"iss": ISSUER, "aud": RESOURCE, "iat": now, "exp": expires_at}
        identity = {"jti": uuid4().hex, "client_id": client_id, "scope": scope}
        return jwt.encode(self.header, common | identity | claims, self.key)


def create_app() -> Floor:
    return Floor(Path(os.environ[DATA_VARIABLE]))


def read_form(environ: dict[str, Any]) -> Form:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def basic(authorization: str) -> tuple[str, str]:
    client_id, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return client_id, secret


def validate_secret(secret: str, row: Any) -> None:
    if not row or not compare_digest(sha256(secret.encode()).digest(), row[0]):
        raise OAuthError("401 Unauthorized", "invalid_client")


@lru_cache
def public_key(jwk: str) -> ECKey:
    return ECKey.import_key(json.loads(jwk))


def decode(token: str, key: ECKey) -> Claims:
    try:
        claims = jwt.decode(token, key, algorithms=["ES256"]).claims
    except (JoseError, ValueError):
        raise OAuthError("400 Bad Request", "invalid_request") from None
    if claims["exp"] <= time.time():
        raise OAuthError("400 Bad Request", "invalid_request")
    return claims


def is_alive(delegation: Any) -> bool:
    return bool(delegation and delegation[2] is None and delegation[1] > time.time())


def use_assertion(connection: sqlite3.Connection, caller: Caller) -> None:
    if caller.assertion is None:
        return
    try:
        connection.execute(INSERT_ASSERTION, caller.assertion)
    except sqlite3.IntegrityError:
        raise OAuthError("401 Unauthorized", "invalid_client") from None


def record(connection: sqlite3.Connection, now: int, kind: str, body: Claims) -> None:
    connection.execute(INSERT_EVENT, (now, kind, json.dumps(body)))


def token_answer(token: str, scope: str, expires_in: int) -> Claims:
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": expires_in,
        "scope": scope,
    }
