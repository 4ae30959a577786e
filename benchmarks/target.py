"""What a server under measure must tell the harness, and what is asked of each.

A target is one server with its own data folder and port: how to set it up, how to
start it, and the bytes of each request, built before the clock starts.
"""

import base64
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from .postgres import Postgres

HOST = "127.0.0.1"
SCOPE = "calendar:read"
AGENT, AGENT_SECRET = "planner", "planner-secret-0123456789"
API, API_SECRET = "calendar-api", "calendar-secret-0123456789"
# Requests take turns with this many tokens: an API sees each token several times in its life.
TOKENS = 64
# One thread a worker: a second one only waits for the interpreter (see server_choice.py).
BLOCKING_THREADS = 1


class Operation(StrEnum):
    EXCHANGE = "exchange"
    EXCHANGE_NEW_NODE = "exchange, a new node"
    EXCHANGE_4_DEEP = "exchange, 4 deep"
    EXCHANGE_JWT = "exchange, private_key_jwt"
    INTROSPECTION = "introspection"
    CLIENT_CREDENTIALS = "client_credentials"


class Target(Protocol):
    """A server under measure; it is made with its data folder and its port on 127.0.0.1.

    `database` is the PostgreSQL that it uses; None where it has SQLite in its data folder.
    """

    name: str
    operations: frozenset[Operation]
    database: Postgres | None

    def __init__(self, data: Path, port: int, database: Postgres | None = None) -> None: ...

    def set_up(self) -> None:
        """Make the database, clients and tokens, before the server starts."""

    def command(self, workers: int) -> list[str]: ...

    def environment(self) -> dict[str, str]: ...

    def requests(self, operation: Operation, limit: int) -> Iterator[bytes]:
        """Yield at least `limit` requests; each holds its own assertion where it needs one.

        Called anew for each round, while the server runs, with no clock running.
        """

    def introspection(self, token: str) -> bytes:
        """Ask, as the API that the token is for, whether it is active."""


def post(path: str, form: Mapping[str, str], user: str = "", password: str = "") -> bytes:
    """The bytes of a form POST on a kept-alive connection, with HTTP Basic when `user` is given."""
    body = urlencode(form).encode()
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Basic {credentials}"] if user else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str, bearer: str = "") -> bytes:
    """The bytes of a GET on a kept-alive connection, with a bearer token when one is given."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"Authorization: Bearer {bearer}"] if bearer else []
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def granian(app: str, port: int, workers: int, threads: int = BLOCKING_THREADS) -> list[str]:
    """Serve the factory `app` as `deputize serve` is served."""
    options = {
        "--interface": "wsgi",
        "--host": HOST,
        "--port": port,
        "--workers": workers,
        "--blocking-threads": threads,
        "--http": 1,
        "--log-level": "warning",
        "--workers-kill-timeout": 5,
    }
    words = [str(word) for option in options.items() for word in option]
    return [sys.executable, "-m", "granian", *words, "--no-ws", "--factory", app]
