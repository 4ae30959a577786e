"""Where a moment stands on a time axis that is drawn from left to right. Pure."""

from dataclasses import dataclass
from typing import Final

TICKS: Final = 4


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From `start` to `end` (NumericDates), drawn between two places.

    :param left: where `start` stands, in units of the drawing
    :param width: from there to `end`
    """

    start: int
    end: int
    left: int
    width: int

    def x(self, at: int) -> int:
        """Return where `at` stands; what lies outside stands at the edge."""
        passed = min(max(at, self.start), self.end) - self.start
        return self.left + passed * self.width // max(1, self.end - self.start)

    def ticks(self) -> list[int]:
        """Return the moments that are named: both ends and some between, each once."""
        span = self.end - self.start
        return sorted({self.start + span * n // TICKS for n in range(TICKS + 1)})
