"""A reverse proxy as it stands in front of a server: it ends TLS, says who asked, and passes
everything on. `python tests/idp/proxy.py PORT TARGET_PORT CERTIFICATE replace|append`.
"""

import ssl
import sys
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding"}


class Proxy(BaseHTTPRequestHandler):
    """One request passed on.

    `replace` sets `X-Forwarded-For` to the address of whoever asks; `append` adds it to what
    they sent, as many proxies do.
    """

    protocol_version = "HTTP/1.1"
    target: int
    way: str

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        upstream = HTTPConnection("127.0.0.1", self.target, timeout=30)
        upstream.request(self.command, self.path, body, self.headers_passed_on())
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*NOT_PASSED_ON, "content-length", "server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_POST = do_GET  # noqa: N815

    def headers_passed_on(self) -> dict[str, str]:
        passed = {n: v for n, v in self.headers.items() if n.lower() not in NOT_PASSED_ON}
        said, address = self.headers.get("X-Forwarded-For"), self.client_address[0]
        is_added = self.way == "append" and said
        for name in ("x-forwarded-for", "x-forwarded-proto"):
            passed = {n: v for n, v in passed.items() if n.lower() != name}
        passed["X-Forwarded-For"] = f"{said}, {address}" if is_added else address
        passed["X-Forwarded-Proto"] = "https"
        return passed

    def log_message(self, *_: object) -> None:
        """Say nothing: a failing test shows its own request."""


def main(port: str, target: str, certificate: str, way: str) -> None:
    Proxy.target, Proxy.way = int(target), way
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Proxy)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
