"""A decorator for Flask's views. It imports nothing of Flask: the app hands its `request` in.

needs = decorator(Guard(introspector, CALENDAR), request)

@app.get("/events")
@needs("calendar:read")
def events(access: Access) -> ...
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from .access import Access
from .guard import Guard, Refused

P = ParamSpec("P")
R = TypeVar("R")

#: What Flask makes a response of: JSON, status, headers.
Refusal: TypeAlias = tuple[dict[str, str], int, dict[str, str]]
View: TypeAlias = Callable[Concatenate[Access, P], R]


class Decorator(Protocol):
    """`@needs("pay:transfer", max_age=300)`; what it takes is `Guard.admit`'s."""

    def __call__(
        self, scope: str, *, acr: str = "", max_age: int | None = None
    ) -> Callable[[View[P, R]], Callable[P, R | Refusal]]: ...


class HasHeaders(Protocol):
    """What is taken of `flask.request`."""

    @property
    def headers(self) -> Any: ...


def decorator(guard: Guard, request: HasHeaders) -> Decorator:
    """Return a decorator of views: `@needs("calendar:read")`, below the route.

    The view's first argument is who acts for whom; who may not pass is answered without it.

    :param request: `flask.request`
    """

    def needs(
        scope: str, *, acr: str = "", max_age: int | None = None
    ) -> Callable[[View[P, R]], Callable[P, R | Refusal]]:
        def decorate(view: View[P, R]) -> Callable[P, R | Refusal]:
            @wraps(view)
            def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Refusal:
                try:
                    authorization = request.headers.get("Authorization")
                    access = guard.admit(authorization, scope, acr=acr, max_age=max_age)
                except Refused as refused:
                    return refused.body, refused.status, refused.headers
                return view(access, *args, **kwargs)

            return guarded

        return decorate

    return needs
