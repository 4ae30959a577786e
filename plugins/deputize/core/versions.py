"""What may be kept in memory between requests, and how a worker learns that it changed.

Each kind of cached thing has a number in one small table, raised in the transaction
that changes the thing. A request reads all the numbers at once and reloads what is
behind, so no worker answers by an older catalogue or key set than it has seen.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Column, Integer, String, Table, select, update

from .db import Prepared, Transaction, metadata

version = Table(
    "deputize_version",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
)

_NUMBERS = Prepared(select(version.c.name, version.c.number))

T = TypeVar("T")


def read_versions(tx: Transaction) -> dict[str, int]:
    """Return the number of each kind of cached thing."""
    return dict(_NUMBERS.run(tx, {}).fetchall())


def raise_version(tx: Transaction, name: str) -> None:
    """Tell every worker that `name` changed, once this transaction is committed."""
    tx.execute(update(version).where(version.c.name == name).values(number=version.c.number + 1))


class Cached(Generic[T]):
    """A value loaded from the database and kept until its number changes."""

    def __init__(self, name: str, load: Callable[[Transaction], T]) -> None:
        self.name = name
        self._load = load
        self._kept: tuple[int, T] | None = None

    def get(self, tx: Transaction, versions: dict[str, int]) -> T:
        """Return the value as of `versions`, which were read in `tx` before it."""
        number = versions[self.name]
        kept = self._kept
        if kept is None or kept[0] != number:
            kept = self._kept = (number, self._load(tx))
        return kept[1]
