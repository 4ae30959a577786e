"""Keys at the agent's own URL (`jwks_uri`): found, found again when rotated, and fetched
from nowhere that a stranger could use the server's hand for.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, redirect

from deputize.agents.remote_keys import AGAIN_SECONDS, RemoteKeys
from deputize.core.guarded_http import MAX_BYTES, FetchError, fetch
from support.agents_http import Agent, jwks, new_key
from support.serving import serving
from support.world import World, running_world


@dataclass
class Published:
    """A server that publishes keys, among worse things."""

    url: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    fetched: int = 0

    def app(self, url: str) -> Flask:
        self.url = url
        app = Flask(__name__)

        @app.get("/jwks")
        def keys() -> Any:
            self.fetched += 1
            return self.document

        app.add_url_rule("/elsewhere", "elsewhere", lambda: redirect("/jwks"))
        app.add_url_rule("/huge", "huge", lambda: Response(b" " * (MAX_BYTES + 1)))
        app.add_url_rule("/not-json", "not_json", lambda: "keys")
        return app


@pytest.fixture(scope="module")
def published() -> Iterator[Published]:
    server = Published()
    with serving(server.app):
        yield server


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    private = {"private_hosts": ["127.0.0.1"]}
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder, agents=private) as running:
        yield running


def test_an_agent_authenticates_with_the_key_that_it_publishes(
    world: World, published: Published
) -> None:
    key = new_key()
    published.document = jwks(key)
    world.register("roaming", jwks=None, jwks_uri=f"{published.url}/jwks")
    agent = Agent("roaming", world.metadata, key=key)
    assert _own_token(agent) == 200
    before = published.fetched
    assert _own_token(agent) == 200
    assert published.fetched == before, "kept for a while"


def test_a_key_that_it_does_not_publish_is_refused(world: World, published: Published) -> None:
    published.document = jwks(new_key())
    world.register("impostor", jwks=None, jwks_uri=f"{published.url}/jwks")
    assert _own_token(Agent("impostor", world.metadata, key=new_key())) == 401


@pytest.mark.parametrize("path", ["/elsewhere", "/huge", "/not-json", "/missing"])
def test_what_is_no_plain_document_of_keys_verifies_nothing(
    world: World, published: Published, path: str
) -> None:
    key = new_key()
    published.document = jwks(key)
    name = f"lost{path.replace('/', '-')}"
    world.register(name, jwks=None, jwks_uri=f"{published.url}{path}")
    assert _own_token(Agent(name, world.metadata, key=key)) == 401


def test_rubbish_makes_nobody_fetch_again_and_again() -> None:
    fetched: list[str] = []

    def fetch_one(uri: str) -> bytes:
        fetched.append(uri)
        return json.dumps(jwks(new_key())).encode()

    keys = RemoteKeys(fetch_one)
    for _ in range(50):
        keys.get("https://agent.example/jwks", again=True)
    assert len(fetched) == 1
    assert AGAIN_SECONDS >= 30


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/jwks",
        "https://127.0.0.1/jwks",
        "https://localhost/jwks",
        "https://[::1]/jwks",
        "https://10.0.0.1/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/jwks",
        "https://0.0.0.0/jwks",
        "https://user@example.com/jwks",
        "https://example.com:99999/jwks",
        "file:///etc/passwd",
        "https:///jwks",
        "",
    ],
)
def test_nothing_private_and_nothing_but_https_is_fetched(url: str) -> None:
    with pytest.raises(FetchError):
        fetch(url)


def _own_token(agent: Agent) -> int:
    return agent.post("token_endpoint", grant_type="client_credentials").status_code


def test_it_is_declared_and_exported(tmp_path: Path) -> None:
    file = tmp_path / "agents.toml"
    file.write_text(
        """
        [[people]]
        username = "ben"
        name = "Ben Ode"
        email = "ben@example.com"
        password = "correct horse battery"
        [[agents]]
        client_id = "roaming"
        owner = "ben"
        jwks_uri = "https://agent.example/jwks"
        """
    )
    deputize = Path(sys.executable).with_name("deputize")
    where = ["--data", str(tmp_path / "data")]
    subprocess.run([deputize, "apply", str(file), *where], check=True, timeout=60)
    told = subprocess.run(
        [deputize, "export", *where], check=True, timeout=60, capture_output=True, text=True
    )
    (agent,) = tomllib.loads(told.stdout)["agents"]
    assert agent["jwks_uri"] == "https://agent.example/jwks"
    assert agent["token_endpoint_auth_method"] == "private_key_jwt"
