"""ArcSight Common Event Format, version 0 (CEF Implementation Standard, rev. 26). Pure.

A header of seven parts between bars, and an extension of `key=value`. In the header a bar and
a backslash are escaped and a line stays one line; in the extension an equals sign, a backslash
and the ends of lines are.
"""

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from ..vocabulary import KINDS
from .severity import severity_of

#: By our severity: CEF counts from 0 to 10.
_SEVERITY = {"informational": 2, "low": 4, "high": 8}

_HEADER = str.maketrans({"\\": "\\\\", "|": "\\|", "\r": " ", "\n": " "})
_EXTENSION = str.maketrans({"\\": "\\\\", "=": "\\=", "\r": "\\r", "\n": "\\n"})

#: Members of an event that CEF has a key for; the rest is its message.
_KEYS = {"id": "externalId", "person_id": "suid", "rule": "reason"}

#: Members that go into custom strings, which name what they hold.
_CUSTOM = ("agent", "chain", "task_id", "delegation_id", "why")


def cef_line(body: bytes) -> str:
    """Return the event as one line of CEF."""
    happened: dict[str, Any] = json.loads(body)
    kind = happened["kind"]
    severity = _SEVERITY[severity_of(happened)]
    header = ("Deputize", "Deputize", version("deputize"), kind, KINDS.get(kind, kind))
    parts = ["CEF:0", *(part.translate(_HEADER) for part in header), str(severity)]
    extension = " ".join(f"{key}={value.translate(_EXTENSION)}" for key, value in _pairs(happened))
    return "|".join([*parts, extension])


def _pairs(happened: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "rt", str(happened["at"] * 1000)
    yield "act", happened["kind"]
    yield "outcome", "failure" if "rule" in happened else "success"
    for member, key in _KEYS.items():
        if member in happened:
            yield key, str(happened[member])
    for number, member in enumerate(_CUSTOM, 1):
        if member in happened:
            yield f"cs{number}Label", member
            yield f"cs{number}", _told(happened[member])
    known = {"at", "kind", *_KEYS, *_CUSTOM}
    rest = {name: value for name, value in happened.items() if name not in known}
    if rest:
        yield "msg", json.dumps(rest, sort_keys=True)


def _told(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)
