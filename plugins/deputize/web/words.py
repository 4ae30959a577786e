"""How the pages speak: times as people say them, hosts as they are, lists as sentences.

Pure functions. Whatever an agent wrote itself (its name, its purpose, a message) goes through
`neutralise` before a person reads it: such text is a means of attack, by characters that
reorder, hide or overflow what stands around them (Unicode TR36 and TR39).
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Final
from urllib.parse import SplitResult, urlsplit

from markupsafe import Markup

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
ELLIPSIS: Final = "…"
MARKS_IN_A_ROW: Final = 3  # enough for pointed Hebrew and Arabic, too few to paint over a line
URL_LENGTH: Final = 120

# Letters and symbols by category, yet blank or without a width of their own.
BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
INVISIBLE_MARKS: Final = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
# A quotation that could close itself would let the agent speak with the server's voice.
QUOTES: Final = str.maketrans(dict.fromkeys('"”„‟«»″‶＂〝〞〟❝❞', "’") | {"“": "‘"})

HOST_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def until(expires_at: datetime, now: datetime) -> str:
    """Say how long something lasts: "for 10 minutes", "until 18:40", "until 3 Dec".

    Both are aware. The zone of `now` is the person's, and times are told in it; where it is
    not known, `now` is in UTC, and the time of day says so.
    """
    left = _between(now, expires_at)
    if left <= timedelta(0):
        return "no longer"
    if left < MINUTE:
        return "for less than a minute"
    if left < HOUR:
        return f"for {count_of(_minutes(left), 'minute')}"
    return f"until {_clock_or_day(expires_at, now)}"


def at_most(seconds: int, now: datetime) -> str:
    """Say a limit of `seconds` from `now`: "at most 30 minutes", "at most 2 hours, until 18:40".

    Where the zone is not known, a time of day would be in nobody's: only a date is added.
    """
    length = timedelta(seconds=seconds)
    said = f"at most {span(length)}"
    is_clear = length < (HOUR if _is_own_zone(now) else 2 * DAY)
    return said if is_clear else f"{said}, {until(now.astimezone(UTC) + length, now)}"


def since(moment: datetime, now: datetime) -> str:
    """Say when something was: "just now", "12 minutes ago", "at 14:02", "yesterday, 09:10"."""
    passed = _between(moment, now)
    if passed < MINUTE:
        return "just now"
    if passed < HOUR:
        return f"{count_of(_minutes(passed), 'minute')} ago"
    told = _clock_or_day(moment, now)
    return f"at {told}" if _days_between(now, moment) == 0 else told


def day(moment: datetime, now: datetime) -> str:
    """Say a date: "3 Nov", or "3 Nov 2025" when it is not of this year."""
    local = moment.astimezone(now.tzinfo)
    short = f"{local.day} {MONTHS[local.month - 1][:3]}"
    return short if local.year == now.year else f"{short} {local.year}"


def exact(moment: datetime, now: datetime) -> str:
    """Say a time in full, in the zone of `now`: "3 December 2026, 18:40 UTC+01:00"."""
    local = moment.astimezone(now.tzinfo)
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}, {local:%H:%M} {_zone(local)}"


def time_tag(said: str, moment: datetime, now: datetime) -> Markup:
    """Mark up what `until`, `since` or `day` said, with the exact time on hover and read aloud."""
    local = moment.astimezone(now.tzinfo).replace(microsecond=0)
    return Markup(
        '<time datetime="{iso}" title="{full}">{said}<span class="unseen"> ({full})</span></time>'
    ).format(iso=local.isoformat(), full=exact(moment, now), said=said)


def utc(seconds: int) -> datetime:
    """Return a NumericDate as an aware time, in UTC: no page knows the person's zone yet."""
    return datetime.fromtimestamp(seconds, UTC)


def since_tag(at: int, now: int) -> Markup:
    """Say when something was, of two NumericDates, by `time_tag(since(...))`."""
    return time_tag(since(utc(at), utc(now)), utc(at), utc(now))


def until_tag(at: int, now: int) -> Markup:
    """Say how long something lasts, of two NumericDates, by `time_tag(until(...))`."""
    return time_tag(until(utc(at), utc(now)), utc(at), utc(now))


def host_of(resource_url: str) -> str:
    """Name the host of a URL, as a browser would find it; a URL without a clear one is shown whole.

    Never shows user information ("https://bank.example@evil.example" is evil.example), and
    shows international names in their ASCII form, in which look-alike letters are apart.
    """
    parts = _split(resource_url)
    host = _ascii_host(parts) if parts else None
    if not parts or not host:
        return neutralise(resource_url, URL_LENGTH)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{parts.port}" if parts.port is not None else shown


def destination_of(redirect_uri: str) -> str:
    """Say where an answer goes: a host, a program on this device, or an app (:rfc:`8252` §7)."""
    parts = _split(redirect_uri)
    if parts and parts.hostname in LOOPBACK:
        return f"a program on this device ({host_of(redirect_uri)})"
    if parts and parts.scheme not in ("http", "https", ""):
        return f"the app {neutralise(parts.scheme, URL_LENGTH)}"
    return host_of(redirect_uri)


def neutralise(text: str, limit: int) -> str:
    """Make somebody's own words safe to show: one line, at most `limit` (≥ 1) characters.

    Line breaks and blanks become one space; controls, bidirectional and zero-width characters
    go; accents stack at most three high; double quotation marks become single, so that the
    text can't seem to leave its quotation. Doing it twice changes nothing. It does not escape
    HTML: the templates do.
    """
    seen = INVISIBLE_MARKS.sub("", "".join(map(_seen, text))).translate(QUOTES)
    line = " ".join(unicodedata.normalize("NFC", seen).split())
    return _cut(_flatten(line), limit)


def is_seen_whole(text: str, limit: int) -> bool:
    """Tell whether `neutralise` shows all of `text`: two that look alike are not two things.

    Quotation marks and composed letters may be spelled otherwise.
    """
    return neutralise(text, limit) == unicodedata.normalize("NFC", text).translate(QUOTES)


def list_of(items: Sequence[str]) -> str:
    """Join as a sentence does: "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def count_of(number: int, noun: str) -> str:
    """Count: "1 helper", "2 helpers"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _between(start: datetime, end: datetime) -> timedelta:
    # By UTC: two times of one zone would be subtracted as wall clocks, an hour off across a change.
    return end.astimezone(UTC) - start.astimezone(UTC)


def span(length: timedelta) -> str:
    """Say how long: "1 day", "2 hours", "5 minutes"."""
    for unit, noun in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if length >= unit and not length % unit:
            return count_of(length // unit, noun)
    return count_of(max(1, round(length / MINUTE)), "minute")


def _minutes(span: timedelta) -> int:
    return min(59, round(span / MINUTE))


def _days_between(moment: datetime, now: datetime) -> int:
    return (moment.astimezone(now.tzinfo).date() - now.date()).days


def _clock_or_day(moment: datetime, now: datetime) -> str:
    clock = f"{moment.astimezone(now.tzinfo):%H:%M}{'' if _is_own_zone(now) else ' UTC'}"
    near = {-1: f"yesterday, {clock}", 0: clock, 1: f"tomorrow, {clock}"}
    return near.get(_days_between(moment, now)) or day(moment, now)


def _is_own_zone(now: datetime) -> bool:
    # UTC is nobody's own zone: it stands for one that is not known.
    return now.tzinfo is not UTC


def _zone(local: datetime) -> str:
    offset = f"{local:%z}"
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"


def _split(url: str) -> SplitResult | None:
    # A browser reads "\" as "/", and drops tabs and newlines, where urlsplit does not.
    if re.search(r"[\\\s\x00-\x1f\x7f]", url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed when read: raises ValueError out of range
    except ValueError:
        return None
    return parts


def _ascii_host(parts: SplitResult) -> str | None:
    try:
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return host if HOST_NAME.fullmatch(host) else None


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if character.isspace() or kind.startswith("Z") or character in BLANK_LETTERS:
        return " "
    return "" if kind.startswith("C") else character


def _flatten(text: str) -> str:
    kept: list[str] = []
    height = 0
    for character in dropwhile(_hangs, text):
        height = height + 1 if _is_mark(character) else 0
        if height <= MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


def _hangs(character: str) -> bool:
    # An accent that comes first would stand on what the page wrote before it.
    return character == " " or _is_mark(character)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    end = max(limit - len(ELLIPSIS), 0)
    while end > 0 and _is_mark(text[end]):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")
