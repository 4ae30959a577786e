"""What time it is, in whole seconds since the epoch (JWT NumericDate).

One representation runs from the row to the `exp` claim, so no conversion can
disagree with another. Tests set the clock of every worker through a file, which
`Settings` refuses outside test mode.
"""

import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time.

    `is_authoritative` says that this clock wins over a database server's own, which
    is otherwise asked, so that all machines before one database share one clock.
    """

    is_authoritative: bool

    def now(self) -> int:
        """Return the seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    is_authoritative = False

    def now(self) -> int:
        return int(time.time())


class FileClock:
    """The machine's clock moved by the number of seconds that a file holds."""

    is_authoritative = True

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> int:
        return int(time.time()) + int(self._file.read_text() or 0)
