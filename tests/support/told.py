"""Where a client is told of answers: its notification endpoint, which may behave badly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, redirect, request

from support.serving import serving


@dataclass
class Told:
    """A client's notification endpoint, and what arrived there.

    :param status: what it answers
    """

    url: str = ""
    status: int = 204
    arrived: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    has_arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        return f"{self.url}/told"

    def take(self) -> dict[str, Any]:
        """Return the one thing that has arrived, and forget it."""
        (told,) = self.arrived
        self.arrived.clear()
        return told

    def app(self, url: str) -> Flask:
        self.url = url
        app = Flask(__name__)

        @app.post("/told")
        def told() -> tuple[str, int]:
            self.tokens.append(request.headers["Authorization"])
            self.arrived.append(request.get_json())
            self.has_arrived.set()
            return "", self.status

        @app.post("/elsewhere")
        def elsewhere() -> Any:
            return redirect("/told", 307)

        @app.post("/huge")
        def huge() -> Response:
            self.arrived.append(request.get_json())
            return Response(b" " * 65_536 for _ in range(10_000))

        @app.post("/slow")
        def slow() -> tuple[str, int]:
            self.answering.wait(20)
            return "", 204

        return app


@contextmanager
def told() -> Iterator[Told]:
    """Run one for the length of a `with`."""
    endpoint = Told()
    with serving(endpoint.app):
        yield endpoint
        endpoint.answering.set()
