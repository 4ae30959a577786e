"""A decision point that speaks AuthZEN, and may behave badly."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, redirect, request

from support.serving import serving

Question = dict[str, Any]


def allowed(_: Question) -> Response:
    return answered({"decision": True})


def answered(body: Any, status: int = 200, cache: str = "") -> Response:
    headers = {"Cache-Control": cache} if cache else {}
    return Response(json.dumps(body), status, headers, mimetype="application/json")


@dataclass
class Decisions:
    """The service, and what it was asked.

    :param decide: what it answers
    :param go_on: until which a slow answer waits
    """

    url: str = ""
    decide: Callable[[Question], Response] = allowed
    asked: list[Question] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    is_asked: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        return f"{self.url}/access/v1/evaluation"

    def begin_again(self) -> None:
        self.decide = allowed
        self.asked.clear()
        self.tokens.clear()
        self.go_on.clear()
        self.is_asked.clear()

    def app(self, url: str) -> Flask:
        self.url = url
        app = Flask(__name__)

        @app.post("/access/v1/evaluation")
        def evaluation() -> Response:
            question = request.get_json()
            self.asked.append(question)
            self.tokens.append(request.headers.get("Authorization"))
            self.is_asked.set()
            return self.decide(question)

        @app.post("/yes")
        def yes() -> Response:
            return allowed({})

        return app

    # -- ways to behave badly ------------------------------------------------------

    def wait(self, question: Question) -> Response:
        """Answer when the test says so."""
        self.go_on.wait(20)
        return allowed(question)

    def redirect(self, _: Question) -> Any:
        return redirect(f"{self.url}/yes", 307)

    def huge(self, _: Question) -> Response:
        return Response(b'{"decision": true, "x": "' + b" " * 200_000 + b'"}')


@contextmanager
def deciding() -> Iterator[Decisions]:
    """Run one for the length of a `with`."""
    service = Decisions()
    with serving(service.app):
        yield service
        service.go_on.set()
