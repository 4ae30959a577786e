"""Quiet hours: from when to when a person is not told, by the clock of their own zone.

Pure but for the zone's rules, which are the system's. A day on which clocks change has its
quiet hours by the wall clock all the same.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from ..core.refusal import Refusal

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch of quiet, as NumericDates; it is over at `ends`."""

    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Each day's.

    :param starts: minutes after midnight
    :param ends: the same; where it is not after `starts`, of the next day
    :param zone: its name in the IANA time zone database
    """

    starts: int
    ends: int
    zone: str

    def period_at(self, now: int) -> Period | None:
        """Return the stretch of quiet that `now` lies in, or None."""
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            # The system has forgotten it: better told at night than never.
            return None
        today = datetime.fromtimestamp(now, zone).date()
        periods = (self._of(day, zone) for day in (today - timedelta(days=1), today))
        return next((one for one in periods if one.starts <= now < one.ends), None)

    def _of(self, day: date, zone: ZoneInfo) -> Period:
        last = day if self.starts < self.ends else day + timedelta(days=1)
        return Period(_at(day, self.starts, zone), _at(last, self.ends, zone))


def read_quiet_hours(starts: str, ends: str, zone: str) -> QuietHours:
    """Return the quiet hours that a person wrote.

    :raises Refusal: `quiet_hours.malformed`, with a sentence for them
    """
    first, last = _minutes(starts), _minutes(ends)
    if first is None or last is None:
        raise Refusal("quiet_hours.malformed", "Write both times as hours and minutes: 22:00.")
    if first == last:
        raise Refusal("quiet_hours.malformed", "Quiet hours begin and end at different times.")
    if zone not in zones():
        raise Refusal("quiet_hours.malformed", "Choose a time zone such as Europe/Madrid.")
    return QuietHours(first, last, zone)


def clock_of(minutes: int) -> str:
    """Return minutes after midnight as a clock shows them."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones that this system knows."""
    return frozenset(available_timezones())


def _minutes(text: str) -> int | None:
    found = _CLOCK.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


def _at(day: date, minutes: int, zone: ZoneInfo) -> int:
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
    return int(wall.timestamp())
