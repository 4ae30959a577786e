"""One server per module, as an operator starts it, and the libraries that are driven against it.

Besides the demo's agents there are one that has a key and one that sends its secret in the form;
besides its application one that people sign out of.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import DEMO, Inside, Served, free_port
from clients.running import Library
from support.agents_http import jwks, new_key, thumbprint
from support.missing import missing

HERE = Path(__file__).parent
NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
NPM_TIMEOUT = 120  # seconds; it takes half a one
AGENT = """
[[agents]]
client_id = "{0}"
owner = "ben"
scopes = ["calendar:read", "flights:search", "tasks"]
resources = ["https://calendar.example", "https://flights.example"]
delegates_to = ["booker"]
redirect_uris = ["http://127.0.0.1/callback"]
{1}
"""
BY_KEY = 'jwks_file = "keyed.jwks.json"'
BY_FORM = """
token_endpoint_auth_method = "client_secret_post"
client_secret = "poster-secret-0123456789"
"""
APPLICATION = """
[[clients]]
client_id = "portal"
client_secret = "portal-secret-0123456789"
redirect_uris = ["http://127.0.0.1/webapp"]
post_logout_redirect_uris = ["http://127.0.0.1:{0}/signed-out"]
scopes = ["openid", "profile"]
"""


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, str], port: int
) -> Iterator[Served]:
    """A server in a process of its own."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "keyed.jwks.json").write_text(keys["public"])
    declared = folder / "declared.toml"
    agents = AGENT.format("keyed", BY_KEY) + AGENT.format("poster", BY_FORM)
    declared.write_text(agents + APPLICATION.format(port))
    operator = Inside(folder / "data")
    operator.done("apply", str(DEMO))
    operator.done("apply", str(declared))
    with operator.serving() as url:
        yield Served(url, operator)


@pytest.fixture(scope="session")
def keys() -> dict[str, str]:
    """The key of the agent `keyed`: its public set, and the private JWK for its programs."""
    key = new_key()
    private = key.as_dict(private=True) | {"kid": thumbprint(key)}
    return {"public": json.dumps(jwks(key)), "private": json.dumps(private)}


@pytest.fixture(scope="session")
def port() -> int:
    """Where the application listens: where people go after signing out is matched exactly."""
    return free_port()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs for Node beside their libraries, which are what the lock file says."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing("Node", f"no `{program}` on PATH")
    folder = tmp_path_factory.mktemp("clients") / "node"
    shutil.copytree(HERE / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        NPM_CI, cwd=folder, capture_output=True, text=True, check=False, timeout=NPM_TIMEOUT
    )
    if installed.returncode != 0:
        missing("Node", f"`npm ci` failed: {installed.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module", params=["authlib", "openid-client", "oauth4webapi"])
def library(request: pytest.FixtureRequest) -> Library:
    """Each library in turn."""
    if request.param == "authlib":
        return Library((sys.executable,), HERE / "python", ".py")
    node: Path = request.getfixturevalue("node")
    return Library(("node",), node / request.param, ".mjs")
