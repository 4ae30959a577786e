"""Lets a person decide in their browser, and waits where it comes back.

A program on somebody's own machine listens on a free port (RFC 8252 §7.3).
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Listener:
    """Listens for one person to come back; `path` is the registered redirect URI's."""

    def __init__(self, path: str) -> None:
        self._server = _Server(("127.0.0.1", 0), _Back)
        self._origin = f"http://127.0.0.1:{self._server.server_port}"
        self.redirect_uri = self._origin + path

    def visit(self, url: str) -> str:
        """Send the person to `url`; the URL that they came back to."""
        print("Please open", url, file=sys.stderr, flush=True)
        self._server.handle_request()
        return self._origin + self._server.came_back_to

    def close(self) -> None:
        self._server.server_close()


class _Server(HTTPServer):
    came_back_to = ""


class _Back(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.came_back_to = self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"You may close this window.\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no code of an answer into a log."""
