"""Programs that use somebody else's library, run as their authors would run them.

Each takes what it needs from its environment, asks for a person on its standard error
(`Please open URL`, `Please decide at URL`) and prints what it saw as one JSON object.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from clients.person import Person

TO_CONSENT = "Please open "
TO_DECIDE = "Please decide at "
TIMEOUT = 60  # seconds; a program takes one or two
KEPT = ("PATH", "HOME", "LANG")

Seen = dict[str, Any]


@dataclass(frozen=True)
class Library:
    """A library: the command that runs a program, and where its programs lie."""

    command: tuple[str, ...]
    folder: Path
    suffix: str

    def run(self, program: str, **environment: str) -> Seen:
        """Run one program, with Ana at the browser; what it saw."""
        command = [*self.command, str(self.folder / f"{program}{self.suffix}")]
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        with _running(command, kept | environment) as process:
            assert process.stdout
            said = _accompany(process)
            told = process.stdout.read()
        assert process.returncode == 0, "\n".join([f"exit {process.returncode}", *said])
        return dict(json.loads(told))


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    )
    too_late = Timer(TIMEOUT, process.kill)
    too_late.start()
    with process:
        try:
            yield process
        except BaseException as error:
            process.kill()
            error.add_note(process.stderr.read() if process.stderr else "")
            raise
        finally:
            process.wait()
            too_late.cancel()


def _accompany(process: subprocess.Popen[str]) -> list[str]:
    """Do what it asks of a person until it has nothing more to say; the rest that it said."""
    assert process.stderr
    said = []
    with Person() as person:
        for line in process.stderr:
            if line.startswith(TO_CONSENT):
                person.open(line.removeprefix(TO_CONSENT).strip())
            elif line.startswith(TO_DECIDE):
                person.approve(line.removeprefix(TO_DECIDE).strip())
            else:
                said.append(line.rstrip())
    return said
