"""Target (a): the floor, with its tables filled and its tokens signed beforehand."""

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from . import floor
from .floor_store import INSERT_DELEGATION, SCHEMA, connect
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

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SET_UP_LIFETIME = 3600


class FloorTarget:
    name = "floor"
    operations = frozenset(Operation) - {Operation.EXCHANGE_4_DEEP, Operation.EXCHANGE_NEW_NODE}

    database = None

    def __init__(self, data: Path, port: int, database: Postgres | None = None) -> None:
        """The floor stays on SQLite, whatever the others use."""
        self.data, self.port = data, port
        self.agent_key = ECKey.generate_key("P-256")
        self.server_key = ECKey.generate_key("P-256", {"kid": "floor"})
        self.tokens = [self._token(uuid4().hex) for _ in range(TOKENS)]

    def set_up(self) -> None:
        (self.data / "floor.jwk").write_text(json.dumps(self.server_key.as_dict(private=True)))
        connection = connect(self.data / "floor.db")
        connection.executescript(SCHEMA)
        jwk = json.dumps(self.agent_key.as_dict(private=False))
        clients = [(AGENT, hashed(AGENT_SECRET), jwk), (API, hashed(API_SECRET), None)]
        connection.executemany("INSERT INTO client VALUES (?, ?, ?)", clients)
        connection.executemany(INSERT_DELEGATION, map(self._delegation, self.tokens))
        connection.close()

    def command(self, workers: int) -> list[str]:
        return granian("benchmarks.floor:create_app", self.port, workers)

    def environment(self) -> dict[str, str]:
        return {floor.DATA_VARIABLE: str(self.data)}

    def requests(self, operation: Operation, limit: int) -> Iterator[bytes]:
        if operation is Operation.EXCHANGE_JWT:
            return iter([self._exchange_jwt(self.tokens[n % TOKENS]) for n in range(limit)])
        builders = {
            Operation.EXCHANGE: self._exchange,
            Operation.INTROSPECTION: self.introspection,
            Operation.CLIENT_CREDENTIALS: self._client_credentials,
        }
        return cycle([builders[operation](token) for token in self.tokens])

    def introspection(self, token: str) -> bytes:
        return post("/introspect", {"token": token}, API, API_SECRET)

    def _exchange(self, token: str) -> bytes:
        return post("/token", exchange_form(token), AGENT, AGENT_SECRET)

    def _exchange_jwt(self, token: str) -> bytes:
        claims = {
            "iss": AGENT,
            "sub": AGENT,
            "aud": floor.ISSUER,
            "jti": uuid4().hex,
            "exp": int(time.time()) + 300,
        }
        proof = {
            "client_id": AGENT,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode({"alg": "ES256"}, claims, self.agent_key),
        }
        return post("/token", exchange_form(token) | proof)

    def _client_credentials(self, _token: str) -> bytes:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        return post("/token", form, AGENT, AGENT_SECRET)

    def _token(self, delegation_id: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": floor.ISSUER,
            "sub": "p-81f0c2",
            "aud": floor.ISSUER,
            "client_id": AGENT,
            "iat": now,
            "exp": now + SET_UP_LIFETIME,
            "jti": uuid4().hex,
            "scope": SCOPE,
            "act": {"sub": AGENT},
            "delegation_id": delegation_id,
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.server_key.kid}
        return jwt.encode(header, claims, self.server_key)

    def _delegation(self, token: str) -> tuple[Any, ...]:
        claims = jwt.decode(token, self.server_key).claims
        return (claims["delegation_id"], None, AGENT, claims["sub"], SCOPE, claims["exp"])


def exchange_form(token: str) -> dict[str, str]:
    return {
        "grant_type": floor.EXCHANGE,
        "subject_token": token,
        "subject_token_type": floor.ACCESS_TOKEN,
        "resource": floor.RESOURCE,
        "scope": SCOPE,
    }


def hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
