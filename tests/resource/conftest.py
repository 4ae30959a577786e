"""A server that vouches for every token, and counts what it is asked.

What a real one would be asked about a token that it never signed, it can't be made to show.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from werkzeug.wrappers import Request, Response

from deputize.resource import Introspector, UntilExpiry
from support.serving import serving
from support.world import CALENDAR, SECRET, World, running_world

NOW = 1_764_000_000

Key = ECKey | OKPKey | RSAKey


@dataclass
class Issuer:
    """Counts the questions by their paths. `now` is the time by the API's clock."""

    url: str
    keys: dict[str, Key] = field(default_factory=lambda: {"k1": ECKey.generate_key("P-256")})
    asked: Counter[str] = field(default_factory=Counter)
    now: float = NOW
    is_active: bool = True
    status: int = 200
    uses: dict[str, str] = field(default_factory=dict)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked[request.path] += 1
        said = {
            "/jwks": lambda: {"keys": self.public()},
            "/introspect": lambda: self.claims() | {"active": self.is_active},
        }.get(request.path, self.metadata)()
        status = self.status if request.path == "/jwks" else 200
        return Response(json.dumps(said), status, mimetype="application/json")(
            environ, start_response
        )

    def metadata(self) -> dict[str, Any]:
        urls = {"introspection_endpoint": f"{self.url}/introspect", "jwks_uri": f"{self.url}/jwks"}
        return {"issuer": self.url} | urls

    def public(self) -> list[dict[str, Any]]:
        return [
            {**key.as_dict(private=False), "kid": kid, "use": self.uses.get(kid, "sig")}
            for kid, key in self.keys.items()
        ]

    def claims(self, **changes: Any) -> dict[str, Any]:
        usual = {
            "iss": self.url,
            "aud": CALENDAR,
            "sub": "ana",
            "client_id": "planner",
            "scope": "calendar:read",
            "exp": NOW + 300,
            "act": {"iss": self.url, "sub": "planner"},
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def sign(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        usual = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
        said = {k: v for k, v in (usual | (header or {})).items() if v is not None}
        payload = json.dumps(self.claims(**claims))
        return jws.serialize_compact(said, payload, key or self.keys["k1"], [said["alg"]])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as world:
        yield world


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made: list[Issuer] = []

    def make_app(url: str) -> Issuer:
        made.append(Issuer(url))
        return made[0]

    with serving(make_app):
        yield made[0]


@pytest.fixture
def counted(issuer: Issuer) -> Iterator[Introspector]:
    made = Introspector(issuer.url, "calendar-api", SECRET, clock=lambda: issuer.now)
    yield made
    made.close()


@pytest.fixture
def offline(issuer: Issuer) -> Iterator[UntilExpiry]:
    verifier = UntilExpiry(issuer.url, clock=lambda: issuer.now)
    yield verifier
    verifier.close()
