"""Serve a WSGI app over real HTTP on a free loopback port, for the length of a `with`.

The app runs in threads of the test's own process, which keeps a module's server
start under a tenth of a second; tests of several workers start `deputize serve`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing: a failing test shows its own request."""


@contextmanager
def serving(make_app: Callable[[str], Any], name: str = "127.0.0.1") -> Iterator[str]:
    """Yield the base URL of `make_app(base_url)`; the issuer is known before the app is.

    :param name: of this machine; browsers have passkeys for `localhost`, and for no address
    """
    server = make_server("127.0.0.1", 0, _not_ready, threaded=True, request_handler=_Quiet)
    url = f"http://{name}:{server.server_port}"
    server.app = make_app(url)
    often = {"poll_interval": 0.02}
    thread = threading.Thread(target=server.serve_forever, kwargs=often, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _not_ready(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []
