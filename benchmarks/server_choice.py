"""`python -m benchmarks.server_choice`: which WSGI server, and how many threads a worker.

The same small Flask app, which does the floor's work, under Granian and (where it is
installed) Gunicorn's gthread; "granian 2" has two threads a worker. BLOCKING_THREADS in
target.py was chosen from its table.
"""

import os
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from flask import Flask, Response, jsonify, request

from .floor import DATA_VARIABLE, Floor, OAuthError
from .floor_target import FloorTarget
from .postgres import Postgres
from .report import table
from .rounds import MakeTarget, Settings, run
from .target import HOST, Operation, granian

APP = "benchmarks.server_choice:create_app"
THREADS = (1, 2, 4, 8)
SETTINGS = Settings(workers=(1, 2), rounds=5, seconds=1.0, connections=16)


def create_app() -> Flask:
    app = Flask(__name__)
    floor = Floor(Path(os.environ[DATA_VARIABLE]))

    @app.post("/token")
    def token() -> Response:
        caller = floor.authenticate(request.form, authorization())
        return jsonify(floor.exchange(request.form, caller))

    @app.post("/introspect")
    def introspect() -> Response:
        return jsonify(floor.introspect(request.form, authorization()))

    @app.errorhandler(OAuthError)
    def refuse(error: OAuthError) -> Response:
        return Response(error.error, error.status)

    return app


def authorization() -> str:
    return request.headers.get("Authorization", "")


class FlaskTarget(FloorTarget):
    operations = frozenset({Operation.EXCHANGE, Operation.INTROSPECTION})

    def __init__(
        self,
        data: Path,
        port: int,
        database: Postgres | None = None,
        *,
        server: str,
        threads: int,
    ) -> None:
        super().__init__(data, port, database)
        self.name, self.server, self.threads = f"{server} {threads}", server, threads

    def command(self, workers: int) -> list[str]:
        if self.server == "granian":
            return granian(APP, self.port, workers, self.threads)
        options = {
            "--worker-class": "gthread",
            "--bind": f"{HOST}:{self.port}",
            "--workers": workers,
            "--threads": self.threads,
            "--log-level": "warning",
        }
        words = [str(word) for option in options.items() for word in option]
        return [sys.executable, "-m", "gunicorn", *words, f"{APP}()"]


def servers() -> list[str]:
    if find_spec("gunicorn"):
        return ["granian", "gunicorn"]
    print("gunicorn is skipped: it is not installed")
    return ["granian"]


def main() -> None:
    targets: list[MakeTarget] = [
        partial(FlaskTarget, server=server, threads=threads)
        for server in servers()
        for threads in THREADS
    ]
    for workers in SETTINGS.workers:
        print(table(workers, run(targets, SETTINGS, workers)), flush=True)


if __name__ == "__main__":
    main()
