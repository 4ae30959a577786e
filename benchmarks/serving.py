"""Start a target as its own processes, wait until it answers, read its CPU time, stop it."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from .stopping import leave_on_sigterm
from .target import HOST

START_SECONDS = 30.0
STOP_SECONDS = 10.0
ROOT = Path(__file__).resolve().parent.parent


class NotServingError(Exception):
    """The server ended, or did not answer in time; the text is the end of its log."""


class Served(Protocol):
    """What is started: a command and its environment."""

    def command(self, workers: int) -> list[str]: ...

    def environment(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Server:
    address: tuple[str, int]
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system time of the server and all its workers so far."""
        tree = [self.process, *self.process.children(recursive=True)]
        return float(sum(times.user + times.system for times in (p.cpu_times() for p in tree)))


@contextmanager
def serving(target: Served, port: int, workers: int, log: Path) -> Iterator[Server]:
    """Run the target's command until the block ends.

    Raises:
        NotServingError: when it does not answer within `START_SECONDS`.
    """
    leave_on_sigterm()
    with log.open("wb") as output:
        process = subprocess.Popen(
            target.command(workers),
            cwd=ROOT,
            env=os.environ | target.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        await_answer(process, port, log)
        yield Server((HOST, port), psutil.Process(process.pid))
    finally:
        stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if answers(port):
            return
        time.sleep(0.05)
    raise NotServingError(log.read_text(errors="replace")[-2000:] or "no answer, and an empty log")


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
