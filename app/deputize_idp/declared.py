"""What it means to declare something: to make it, or to bring it to what is written.

Declaring the same thing again changes nothing, so that a file can be applied any number
of times, also while the server runs.
"""

from dataclasses import dataclass
from typing import Any

from .database import Base, db


class DeclarationError(ValueError):
    """What is declared can't be. The message names the key and says why."""


@dataclass(frozen=True)
class Declared:
    """What a declaration did: whether it made the row, and which columns it changed."""

    created: bool
    changed: tuple[str, ...]


def declare(table: type[Base], found: Base | None, **values: Any) -> Declared:
    """Make or change one row in the session; the caller commits."""
    row = found or table()
    changed = tuple(name for name, value in values.items() if getattr(row, name) != value)
    for name in changed:
        setattr(row, name, values[name])
    db.session.add(row)
    return Declared(created=found is None, changed=changed)
