"""Checkpoints kept on this machine, where whoever changes the database does not reach.

A checkpoint is the newest seal's statement. One a minute, at most, is added to a file that only
grows; the newest stands beside it and is replaced by the next, so that a trail which lost its
last seconds is found as well.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from .statement import Statement

#: Seconds between two lines, at least.
EVERY = 60


class CheckpointFile:
    """One file of lines, and one of the newest; several processes may keep them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.newest = path.with_name(f"{path.name}.newest")

    def keep(
        self, statement: Statement, signed: str, find_signed: Callable[[int], str | None]
    ) -> None:
        """Keep the newest statement.

        :param find_signed: returns what the trail has at a number: what was kept and has been
            rewritten since is not lost, but stays as a line
        :raises OSError: where the file cannot be written
        """
        added = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(added, "ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            kept = self._find_newest()
            if kept and kept["seal"] >= statement.number:
                return
            if _is_torn(file):
                file.write(b"\n")
            if kept and find_signed(kept["seal"]) != kept["statement"]:
                logging.getLogger(__name__).error("audit: seal %d was rewritten", kept["seal"])
                file.write(_bytes(kept))
            line = as_line(statement, signed)
            if os.fstat(file.fileno()).st_size == 0 or self._is_due():
                file.write(_bytes(line))
            self._replace(_bytes(line))

    def lines(self) -> list[str]:
        """Return what was kept, the newest last; nothing where there is no file.

        :raises OSError: where it cannot be read
        """
        found = [
            path.read_text(errors="replace") for path in (self.path, self.newest) if path.exists()
        ]
        return "\n".join(found).splitlines()

    def _find_newest(self) -> dict[str, Any] | None:
        try:
            kept = json.loads(self.newest.read_text())
            return kept if isinstance(kept["seal"], int) and kept["statement"] else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _is_due(self) -> bool:
        return time.time() - self.path.stat().st_mtime >= EVERY

    def _replace(self, line: bytes) -> None:
        made = self.newest.with_name(f"{self.newest.name}.tmp")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(line)
        made.replace(self.newest)


def as_line(statement: Statement, signed: str) -> dict[str, Any]:
    """Return a checkpoint for people and programs; only `statement` is believed."""
    return {
        "issuer": statement.issuer,
        "seal": statement.number,
        "events": statement.last_position,
        "sealed_at": statement.sealed_at,
        "statement": signed,
    }


def statements_in(lines: list[str]) -> list[str | None]:
    """Return the statement of each checkpoint; None for a line that is none."""
    return [_statement(line) for line in lines if line.strip()]


def _statement(line: str) -> str | None:
    try:
        told = json.loads(line)["statement"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return told if isinstance(told, str) else None


def _is_torn(file: BinaryIO) -> bool:
    """Tell whether the last line has no end: the disk was full, or the machine went down."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 1))
    return file.read(1) not in (b"", b"\n")


def _bytes(line: dict[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"
