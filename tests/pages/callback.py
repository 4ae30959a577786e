"""The agent's redirect URI on loopback, where a person's browser comes back to (RFC 8252 §7.3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from flask import Flask, request

from support.serving import serving


@dataclass
class Callback:
    """What browsers have brought here, in order."""

    url: str = ""
    came: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Callback]:
    """Listen on a free port until the end of the `with`."""
    callback = Callback()

    def make_app(url: str) -> Flask:
        callback.url = f"{url}/callback"
        app = Flask("callback")

        @app.get("/callback")
        def come() -> str:
            callback.came.append(dict(parse_qsl(request.query_string.decode())))
            return "Go back to planner."

        return app

    with serving(make_app):
        yield callback
