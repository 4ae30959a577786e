"""An agent's redirect URI on loopback, where the person's browser comes back (RFC 8252 §7.3)."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import Any

from deputize.client import AuthorizationRequest, OAuthError, ProtocolError

PATH = "/callback"


class Callback:
    """Listens on a free port until one answer to the request has come."""

    def __init__(self) -> None:
        self._came: SimpleQueue[str | OAuthError] = SimpleQueue()
        self._asked: AuthorizationRequest | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._take))

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def listen(self, asked: AuthorizationRequest) -> None:
        """Begin to listen for the answer to `asked`."""
        self._asked = asked
        Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self) -> str:
        """Return the code, once the browser has brought it.

        :raises OAuthError: when the person said no
        """
        came = self._came.get()
        self._server.shutdown()
        self._server.server_close()
        if isinstance(came, OAuthError):
            raise came
        return came

    def _take(self, url: str) -> str:
        if self._asked is None or not url.startswith(f"{PATH}?"):
            raise ProtocolError("nothing is here")
        try:
            self._came.put(self._asked.code_in(url))
        except OAuthError as error:
            self._came.put(error)
            return "Nothing was granted."
        return "Thank you: planner can act for you now."


def _handler(take: Callable[[str], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # browsers open connections that they then do not use

        def do_GET(self) -> None:
            try:
                status, text = 200, f"{take(self.path)} Go back to the terminal."
            except ProtocolError as error:
                # Whoever else comes by is told so, and the wait goes on.
                status, text = 400, str(error)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: the URL holds the code."""

    return Handler
