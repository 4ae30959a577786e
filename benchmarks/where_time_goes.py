"""`python -m benchmarks.where_time_goes OPERATION`: one operation under the profiler.

The app answers in this process, without a server, so that what is left is its own. The
profiler makes small calls look dear: read shares, not microseconds.
"""

import cProfile
import io
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.with_agents import create_app_with_agents

from .deputize_target import DeputizeTarget
from .target import TOKENS, Operation

CALLS = 1500
WARM_UP = 200
SHOWN = 40


def main(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = DeputizeTarget(Path(folder), 8000)
        target.set_up()
        chosen = Chosen(data=target.data, issuer=target.issuer)
        app = create_app_with_agents(load_configuration(chosen, {}))
        requests = target.requests(Operation(name), CALLS * 3)
        environs = [environ_of(next(requests)) for _ in range(TOKENS)]
        call(app, environs, WARM_UP)
        began = time.process_time()
        call(app, environs, CALLS)
        print(f"{(time.process_time() - began) / CALLS * 1e6:.0f} µs of CPU a request")
        profiler = cProfile.Profile()
        profiler.runcall(call, app, environs, CALLS)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(SHOWN)


def call(app: Any, environs: list[Callable[[], dict[str, Any]]], times: int) -> None:
    """Send each request in turn; a wrong answer stops the run."""
    for number in range(times):
        statuses: list[str] = []
        answer: Iterable[bytes] = app(
            environs[number % len(environs)](),
            lambda status, *_, to=statuses: to.append(status),
        )
        body = b"".join(answer)
        assert statuses[0].startswith("200"), body


def environ_of(request: bytes) -> Callable[[], dict[str, Any]]:
    """Return what makes the WSGI environment of a request that `target` wrote."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    fields = dict(header.split(": ", 1) for header in headers)
    method, path, _ = line.split()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": fields["Host"],
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": fields["Host"],
        "CONTENT_TYPE": fields.get("Content-Type", ""),
        "CONTENT_LENGTH": fields.get("Content-Length", ""),
        "HTTP_AUTHORIZATION": fields.get("Authorization", ""),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
    }
    return lambda: {**environ, "wsgi.input": io.BytesIO(body)}


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or Operation.EXCHANGE)
