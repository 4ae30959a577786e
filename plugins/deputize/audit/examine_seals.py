"""Examines the seals: each is what was signed, by the key that was to sign it, after the last."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from joserfc.jwk import ECKey
from sqlalchemy import bindparam, func, select

from ..core.db import Transaction
from .findings import Found, Verdict
from .merkle import SIZE, tree_hash
from .models import as_stored, seal
from .statement import NotAStatement, Statement, encoded, hash_of, read

#: Seals that are read at one time, with their events.
_PAGE = 32

#: No position is higher than what fits a column.
HIGHEST = 2**63 - 1


class SealRow(NamedTuple):
    """A seal as it is stored."""

    number: int
    first_position: int
    events: int
    sealed_at: int
    leaves: bytes
    statement: str

    @property
    def last_position(self) -> int:
        return min(self.first_position + self.events - 1, HIGHEST)


def read_pages(tx: Transaction, verdict: Verdict) -> Iterator[list[SealRow]]:
    """Yield some seals at a time, in their order; what is none is a finding."""
    after = -1
    while rows := tx.execute(_SEALS, {"after": after}).all():
        after = rows[-1][0]
        page = [SealRow._make(row) for row in rows if _is_readable(row)]
        verdict.seals += len(page)
        if page:
            yield page
        if not isinstance(after, int):
            break
    if tx.execute(_COUNT).scalar_one() != verdict.seals:
        verdict.add(Found.SEAL_EDITED, "a seal's row cannot be read")


def leaves_of(row: SealRow) -> list[bytes]:
    return [row.leaves[at : at + SIZE] for at in range(0, len(row.leaves), SIZE)]


class Chain:
    """The seals examined so far.

    :ivar number: of the last one
    :ivar named: ids of the keys that were to sign them
    """

    def __init__(self, keys: dict[str, ECKey], verdict: Verdict) -> None:
        self.number = 0
        self._keys = keys
        self._add = verdict.add
        self._last_position = 0
        self.named: set[str] = set()
        self._signed: str | None = None
        self._kid: str | None = None

    def examine(self, row: SealRow) -> Statement | None:
        """Compare a seal with what was signed, and with the one before; return what was signed."""
        is_next = row.number == self.number + 1
        if not is_next:
            text = f"no seal from {self.number + 1} to {row.number - 1}"
            self._add(Found.SEAL_MISSING, text, seal=row.number)
        try:
            statement, kid = read(row.statement, self._keys)
        except NotAStatement as error:
            self._add(Found.BAD_SIGNATURE, f"the seal {error}", seal=row.number)
            self._follow(row, row.last_position, None)
            return None
        if not _is_as_signed(row, statement):
            text = "the seal's row is not what was signed"
            self._add(Found.SEAL_EDITED, text, seal=row.number)
        if is_next:
            self._examine_link(row.number, statement, kid)
        if self._kid in (None, kid):
            self.named |= {kid, statement.next_kid or kid}
        self._follow(row, statement.last_position, statement.next_kid or kid)
        return statement

    def _examine_link(self, number: int, statement: Statement, kid: str) -> None:
        expected = self._last_position + 1
        if statement.previous != (hash_of(self._signed) if self._signed else None):
            self._add(Found.BROKEN_CHAIN, "the seal does not follow the one before", seal=number)
        elif self._kid is not None and kid != self._kid:
            self._add(Found.BAD_SIGNATURE, "the seal's key is not the one to sign it", seal=number)
        if statement.first_position != expected:
            text = f"the seal begins at position {statement.first_position}, not {expected}"
            self._add(Found.BROKEN_CHAIN, text, seal=number)

    def _follow(self, row: SealRow, last_position: int, kid: str | None) -> None:
        self.number, self._signed = row.number, row.statement
        self._last_position, self._kid = last_position, kid


def _is_as_signed(row: SealRow, statement: Statement) -> bool:
    same = (
        row.number == statement.number
        and row.first_position == statement.first_position
        and row.events == statement.events
        and row.sealed_at == statement.sealed_at
        and len(row.leaves) == statement.events * SIZE
    )
    return same and encoded(tree_hash(leaves_of(row))) == statement.tree


def _is_readable(row: Sequence[Any]) -> bool:
    """SQLite stores a value of any type in any column."""
    kinds = (int, int, int, int, bytes, str)
    return all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True))


_SEALS = (
    select(*(as_stored(seal.c[name]) for name in SealRow._fields))
    .where(seal.c.number > bindparam("after"))
    .order_by(seal.c.number)
    .limit(_PAGE)
)
_COUNT = select(func.count()).select_from(seal)
