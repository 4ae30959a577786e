"""One resource server as a process: `python -m deputize_idp.demo.api NAME`.

A line of JSON on standard input tells it who it is; then it serves on a free port, asks
the server about each token by `deputize.resource`, and prints who acts for whom.
"""

import json
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

from deputize.resource import (
    Access,
    IntrospectionError,
    Introspector,
    challenge,
    find_bearer_token,
)

from .payment import find_payment
from .processes import Message

MOST = 10_000  # bytes of a body that are read


@dataclass(frozen=True)
class Endpoint:
    """What is served at one path, by one method, and the scope that it takes.

    :param is_payment: whether what is asked for must lie within what the person approved
    """

    scope: str
    body: Message
    method: str = "GET"
    is_payment: bool = False


ENDPOINTS = {
    "calendar": {
        "/events": Endpoint("calendar:read", {"free": ["2026-12-03", "2026-12-06"]}),
    },
    "flights": {
        "/flights": Endpoint("flights:search", {"flights": [{"id": "TP1234", "fare": "EUR 420"}]}),
    },
    "pay": {
        "/payments": Endpoint("pay:transfer", {"paid": True}, "POST", is_payment=True),
    },
}


@dataclass(frozen=True)
class Answer:
    """What a request is answered with, and what is printed about it."""

    status: int
    body: Message
    line: str
    challenge: str = ""


class Api:
    """A resource server that lets in whom the introspection endpoint vouches for."""

    def __init__(self, name: str, issuer: str, client_secret: str) -> None:
        self.endpoints = ENDPOINTS[name]
        self.identifier = f"https://{name}.example"
        self.introspector = Introspector(
            issuer, f"{name}-api", client_secret, http=httpx.Client(timeout=5, trust_env=False)
        )

    def answer(self, method: str, path: str, authorization: str | None, sent: bytes) -> Answer:
        """Return the answer to a request.

        :param sent: its body
        """
        endpoint = self.endpoints.get(path)
        if endpoint is None or endpoint.method != method:
            return Answer(404, {"error": "not_found"}, f"nothing is at {method} {path}")
        try:
            access = self.introspector.check(find_bearer_token(authorization), self.identifier)
        except IntrospectionError as error:
            return Answer(503, {"error": "temporarily_unavailable"}, f"refused: {error}")
        return self._decide(endpoint, access, sent)

    def _decide(self, endpoint: Endpoint, access: Access | None, sent: bytes) -> Answer:
        # RFC 6750 §3.1: 401 for a token that is not good here, 403 for one that is not enough.
        if access is None:
            return _refusal(401, "invalid_token", "refused: no good token for this API")
        if not access.allows(endpoint.scope):
            line = f"refused: {access}, without {endpoint.scope}"
            return _refusal(403, "insufficient_scope", line, endpoint.scope)
        if not endpoint.is_payment:
            return Answer(200, endpoint.body, f"{access}: {endpoint.scope}")
        payment = find_payment(sent)
        if payment is None or not payment.is_allowed(access):
            return Answer(403, {"error": "not_approved"}, f"refused: {access}, for another payment")
        return Answer(200, endpoint.body, f"{access}: {payment}")


def _refusal(status: int, error: str, line: str, scope: str | None = None) -> Answer:
    return Answer(status, {"error": error}, line, challenge(error, scope=scope))


def handler_of(api: Api) -> type[BaseHTTPRequestHandler]:
    """Return what serves `api` over HTTP."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            sent = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MOST))
            authorization = self.headers.get("Authorization")
            answer = api.answer(self.command, self.path, authorization, sent)
            _say({"line": answer.line, "status": answer.status})
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if answer.challenge:
                self.send_header("WWW-Authenticate", answer.challenge)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing here: who acts for whom is what is printed."""

    return Handler


def main(name: str) -> None:
    """Serve until nobody is there any more who started it."""
    told = json.loads(sys.stdin.readline())
    api = Api(name, told["issuer"], told["client_secret"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(api))
    Thread(target=server.serve_forever, daemon=True).start()
    _say({"url": f"http://127.0.0.1:{server.server_port}"})
    sys.stdin.read()
    server.shutdown()


def _say(message: Message) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
