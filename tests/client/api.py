"""An API that asks the server about each token, and remembers what it was shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from deputize.resource import Introspector, challenge, find_bearer_token
from support.serving import serving
from support.world import CALENDAR, SECRET, World


@dataclass
class Api:
    """The calendar: `/events` is there for who may, `/never` for nobody, `/more` asks for more."""

    introspector: Introspector
    url: str = ""
    shown: list[str | None] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.bodies.append(request.get_data())
        self.shown.append(find_bearer_token(request.headers.get("Authorization")))
        return self._answer(request.path)(environ, start_response)

    def _answer(self, path: str) -> Response:
        access = self.introspector.check(self.shown[-1], CALENDAR)
        if access is None or path == "/never":
            return _refusal(401, challenge("invalid_token"))
        if path == "/bare":
            return _refusal(401, "Bearer")
        if path == "/more":
            return _refusal(403, challenge("insufficient_scope", scope="calendar:write"))
        return Response(str(access))


def _refusal(status: int, said: str) -> Response:
    return Response(status=status, headers={"WWW-Authenticate": said})


@contextmanager
def calendar(world: World) -> Iterator[Api]:
    """Serve the calendar API."""
    api = Api(Introspector(world.url, "calendar-api", SECRET))

    def make_app(url: str) -> Api:
        api.url = url
        return api

    with serving(make_app):
        yield api
    api.introspector.close()
