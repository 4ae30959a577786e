"""The processes that take part: started, talked to in lines of JSON, and all ended.

Each has a process group of its own: Ctrl-C reaches the demo alone, which then ends the
others in order. What they write to standard error goes to a log in the data folder.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

PATIENCE = 30  # seconds that a process may take to answer
ENDING = 15  # seconds that it may take to end

Message = dict[str, Any]


class ProcessError(Exception):
    """A process ended, or did not answer in time."""


class Process:
    """One process of the story.

    :param name: what it is called in the story
    """

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(),
                start_new_session=True,
            )
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def ask(self, do: str, timeout: float | None = PATIENCE, **request: Any) -> Message:
        """Send a request and return its answer.

        :param timeout: seconds; None waits as long as it takes
        :raises ProcessError: when there is none
        """
        self.tell({"do": do, **request})
        return self.hear(timeout)

    def tell(self, message: Message) -> None:
        """Send one line."""
        stdin = self._popen.stdin
        with suppress(BrokenPipeError):  # that it has ended is found out by listening
            if stdin is not None:
                stdin.write(json.dumps(message) + "\n")
                stdin.flush()

    def hear(self, timeout: float | None = PATIENCE) -> Message:
        """Return the next line as a message.

        :raises ProcessError: when there is none
        """
        message: Message = json.loads(self.hear_line(timeout))
        return message

    def hear_line(self, timeout: float | None = PATIENCE) -> str:
        """Return the next line as it is.

        :raises ProcessError: when there is none
        """
        try:
            line = self._lines.get(timeout=timeout)
        except Empty:
            raise ProcessError(f"{self.name} did not answer in {timeout} seconds") from None
        if line is None:
            raise ProcessError(f"{self.name} ended: {_last_line(self.log)}")
        return line

    def end(self) -> None:
        """End it and whatever it started; kill what does not go."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(ENDING)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()

    def _read(self) -> None:
        for line in self._popen.stdout or ():
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


class Processes:
    """All processes of one telling; `with` ends them, the last started first."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "demo.log"
        self._started: list[Process] = []

    def start(self, name: str, *command: str) -> Process:
        """Start `python COMMAND`."""
        process = Process(name, command, self.log)
        self._started.append(process)
        return process

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        # An impatient second Ctrl-C must not leave some of them behind.
        for stopping in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(stopping, signal.SIG_IGN)
        for process in reversed(self._started):
            process.end()


@contextmanager
def data_folder(kept: Path | None) -> Iterator[Path]:
    """Yield the folder of the data: the one to keep, or one that is removed afterwards."""
    if kept is not None:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="deputize-demo-") as folder:
        yield Path(folder)


def environment() -> dict[str, str]:
    """Return this environment without settings: the story is the same in every shell."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DEPUTIZE_")}


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
