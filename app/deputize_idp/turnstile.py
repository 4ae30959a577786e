"""Lets so many requests run at a time as the processor has use for; others wait their turn.

A server with many threads can so hold many requests that wait for a person: such a one steps
aside while it waits, and the others run as they would with few threads.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Turnstile:
    """WSGI middleware.

    :param places: how many run at a time
    :param name: where the environment of a request holds how it steps aside
    """

    def __init__(self, app: WsgiApp, places: int, name: str) -> None:
        self._app = app
        self._places = threading.Semaphore(places)
        self._name = name

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[self._name] = self._aside
        with self._places:
            return self._app(environ, start_response)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        self._places.release()
        try:
            yield
        finally:
            self._places.acquire()
