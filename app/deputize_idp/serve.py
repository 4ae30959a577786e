"""Run the identity provider on one machine, with workers that share its database.

Workers are processes of their own: what they serve is named by `target`, a function
without arguments, and the settings reach them through the environment.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib import import_module
from typing import Any

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer
from sqlalchemy.exc import SQLAlchemyError

from .composition import create_app
from .database import db
from .settings import Settings
from .sweep import sweep

ENVIRONMENT = "DEPUTIZE_IDP_SERVED_SETTINGS"
# The work is in the processor, so more threads than two only wait for each other.
THREADS = 1
BACKLOG = 128
DRAIN_SECONDS = 10
READY_SECONDS = 60
SWEEP_SECONDS = 3600
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class Server(MPServer):
    """Granian, that says when it answers and sweeps. Both are begun after the workers have
    been forked, so that no thread is copied with them."""

    app: Flask
    waiting: int

    def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start the workers, then wait for the first answer beside the main loop."""
        # Here, where granian does not warn of them any more: few run at a time, all others wait.
        self.blocking_threads += self.waiting
        super().startup(*args, **kwargs)  # type: ignore[no-untyped-call]
        url = f"http://{_authority(self.bind_addr, self.bind_port)}"
        local = _authority(ANYWHERE.get(self.bind_addr, self.bind_addr), self.bind_port)
        health = f"http://{local}/health/ready"
        threading.Thread(target=announce, args=(url, health), daemon=True).start()
        threading.Thread(target=sweep_now_and_then, args=(self.app,), daemon=True).start()


def serve(
    settings: Settings,
    host: str,
    port: int,
    workers: int = 1,
    target: str = "deputize_idp.serve:app_from_environment",
    waiting: int = 0,
) -> None:
    """Serve until SIGTERM or SIGINT; then finish the requests in hand and return.

    Prints `ready on URL` on standard output when it really answers.

    :param target: `module:function` that makes the WSGI app in each worker.
    :param waiting: requests that wait for somebody in each worker at one time, at most.
    :raises SystemExit: with 1 if the address is taken, or a worker could not start or died.
    """
    os.umask(0o077)
    claim(host, port)
    app = prepare(settings)
    os.environ[ENVIRONMENT] = dump(settings)
    server = Server(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        backpressure=BACKLOG + waiting,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.warning,
        websockets=False,
    )
    server.app, server.waiting = app, waiting
    server.serve(target_loader=load)


def claim(host: str, port: int) -> None:
    """Refuse an address that is taken: granian would share it with another granian."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        sys.exit(f"{_authority(host, port)}: {error.strerror}")


def prepare(settings: Settings) -> Flask:
    """Make tables and keys before there are workers, and leave no connection to inherit."""
    app = create_app(settings)
    with app.app_context():
        db.engine.dispose()
    return app


def load(target: str) -> Any:
    """The WSGI app that `target` makes, in a worker.

    A worker is born with its parent's signal handlers, which would swallow a SIGTERM that
    comes before the worker has its own.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)()


def when_told_to_stop(act: Callable[[], object]) -> None:
    """Act once this process is sent SIGTERM or SIGINT, beside what handles it. In its main
    thread alone."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)

    def listen() -> None:
        while os.read(told, 1)[0] not in (signal.SIGTERM, signal.SIGINT):
            pass
        act()

    threading.Thread(target=listen, daemon=True).start()


def app_from_environment() -> Flask:
    """The app in a worker."""
    return create_app(settings_from_environment())


def settings_from_environment() -> Settings:
    """The settings that `serve` handed to its workers; taken out of the environment, which
    is part of each request's."""
    return Settings.model_validate_json(os.environ.pop(ENVIRONMENT))


def dump(settings: Settings) -> str:
    """The settings as JSON, with the secret key in it: for the environment, not for a log."""
    plain = settings.model_dump(mode="json")
    if settings.secret_key:
        plain["secret_key"] = settings.secret_key.get_secret_value()
    return json.dumps(plain)


def announce(url: str, health: str) -> None:
    """Print that the server is ready, once it is."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(health, timeout=5):  # noqa: S310
                print(f"ready on {url}", flush=True)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)


def sweep_now_and_then(app: Flask) -> None:
    """Delete what has expired; what fails once is tried again an hour later."""
    while True:
        with app.app_context():
            try:
                sweep()
            except SQLAlchemyError:
                app.logger.exception("sweep")
        time.sleep(SWEEP_SECONDS)


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
