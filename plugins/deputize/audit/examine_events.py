"""Examines the events of each seal, and those that no seal has."""

import json
from bisect import bisect_left
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, func, select

from ..core.db import Prepared, Transaction
from .examine_seals import HIGHEST, SealRow, leaves_of
from .findings import MOST, Found, Verdict
from .merkle import leaf_hash
from .models import event, seal
from .put_away import KEPT_AT_LEAST, PUT_AWAY
from .record import spelled

_AS_THEY_ARE = tuple(c.name for c in event.c if c.name not in ("body", "position", "chain"))
_COPIES = (*_AS_THEY_ARE, "chain")
_LOWEST = -(2**63)
_decode = json.JSONDecoder().decode

#: Body, position, and the columns of `_COPIES`, the id first.
Row = tuple[Any, ...]


@dataclass
class _Missing:
    """Positions from `first` to `last` that no event has, of one seal."""

    first: int
    last: int
    seal: int


class Events:
    """The events examined so far, and those of the page that is being read."""

    def __init__(self, tx: Transaction, verdict: Verdict, late_after: int) -> None:
        self._tx = tx
        self._verdict = verdict
        self._late_after = late_after
        self._rows: list[Row] = []
        self._next = _LOWEST
        self._seen = 0
        self._missing: list[_Missing] = []
        self._latest_at = 0
        self._put_away_through = 0

    def read_through(self, position: int) -> None:
        """Read on, up to what a seal says is its last."""
        if position < self._next:
            return
        bounds = {"first": self._next, "last": position}
        self._rows = _EVENTS.run(self._tx, bounds).fetchall()
        self._seen += len(self._rows)
        self._next = position + 1

    def examine(self, row: SealRow) -> None:
        """Compare the events of a seal with its leaves."""
        start = _index_of(self._rows, row.first_position)
        stop = _index_of(self._rows, row.last_position + 1)
        own = self._rows[start:stop]
        self._unexpected(self._rows[:start])
        self._rows = self._rows[stop:]
        self._verdict.events += len(own)
        if _are_as_sealed(own, row):
            for each in own:
                self._examine_copies(each, row)
        else:
            self._examine_each(own, row)

    def leave_page(self) -> None:
        """Tell of events between the seals of a page."""
        self._unexpected(self._rows)
        self._rows = []

    def finish(self, *, is_begun: bool) -> None:
        """Tell of what is missing, beyond the last seal, or not sealed at all.

        :param is_begun: whether there is a key: who made it left an event
        """
        if self._next <= HIGHEST:
            self.read_through(HIGHEST)
            self.leave_page()
        self._judge_missing()
        self._examine_waiting()
        verdict = self._verdict
        if self._tx.execute(_COUNT).scalar_one() != self._seen + verdict.waiting:
            verdict.add(Found.UNEXPECTED, "an event has what is no position")
        if is_begun and not verdict.seals and not verdict.waiting:
            verdict.add(Found.MISSING, "there is no event at all")

    def _examine_each(self, own: list[Row], row: SealRow) -> None:
        """Find which events of a seal are not as they were."""
        leaves, expected = leaves_of(row), row.first_position
        for each in own:
            position = each[1]
            if not isinstance(position, int):
                self._unexpected([each])
                continue
            self._miss(expected, position - 1, row.number)
            expected = position + 1
            leaf, index = _leaf_of(each), position - row.first_position
            if leaves[index : index + 1] == [leaf]:
                self._examine_copies(each, row)
            elif leaf in leaves:
                text = f"the event was sealed at position {row.first_position + leaves.index(leaf)}"
                self._tell(Found.MOVED, text, each, row)
            else:
                self._tell(Found.EDITED, "the event is not what was sealed", each, row)
        self._miss(expected, row.last_position, row.number)

    def _examine_copies(self, each: Row, row: SealRow) -> None:
        """Compare the columns of an intact event with its body: people search by them."""
        body = _body_of(each)
        if body is None:
            self._tell(Found.UNEXPECTED, "what was sealed is no event", each, row)
            return
        copies = _copies_of(body)
        if copies != each[2:]:
            compared = zip(_COPIES, copies, each[2:], strict=True)
            wrong = ", ".join(name for name, copy, stored in compared if copy != stored)
            self._tell(Found.COPY_EDITED, f"columns were edited: {wrong}", each, row)
        self._examine_time(body["at"], each, row)
        if body.get("kind") == PUT_AWAY:
            self._allow(body.get("through_position"), row)

    def _examine_time(self, at: int, each: Row, row: SealRow) -> None:
        if at > row.sealed_at + self._late_after:
            text = "the event is said to have happened after it was sealed"
            self._tell(Found.OUT_OF_ORDER, text, each, row)
        elif at < self._latest_at - self._late_after:
            text = f"the event was sealed behind one {self._latest_at - at} seconds younger"
            self._tell(Found.OUT_OF_ORDER, text, each, row)
        elif at > self._latest_at:
            self._latest_at = at

    def _allow(self, through: Any, row: SealRow) -> None:
        """Believe that events were put away, where they were as old as they have to be."""
        if not isinstance(through, int) or not 0 < through < row.first_position:
            return
        sealed_at = self._tx.execute(_SEALED_AT, {"position": through}).scalar()
        if sealed_at is not None and sealed_at <= row.sealed_at - KEPT_AT_LEAST:
            self._put_away_through = max(self._put_away_through, through)

    def _miss(self, first: int, last: int, number: int) -> None:
        if first <= last:
            self._missing.append(_Missing(first, last, number))

    def _judge_missing(self) -> None:
        for gap in self._missing:
            first = max(gap.first, self._put_away_through + 1)
            self._verdict.put_away += min(first, gap.last + 1) - gap.first
            told = range(first, min(gap.last + 1, first + MOST))
            for position in told:
                text = "the event is missing"
                self._verdict.add(Found.MISSING, text, seal=gap.seal, position=position)
            self._verdict.untold += max(0, gap.last + 1 - first - len(told))

    def _unexpected(self, rows: list[Row]) -> None:
        for each in rows:
            self._tell(Found.UNEXPECTED, "the event has a position that no seal gave it", each)

    def _examine_waiting(self) -> None:
        waits = event.c.position.is_(None)
        counted = self._tx.execute(select(func.count()).where(waits)).scalar_one()
        self._verdict.waiting = counted
        late = select(event.c.id).where(waits, event.c.at < self._tx.now - self._late_after)
        for name in self._tx.execute(late.order_by(event.c.at, event.c.id)).scalars():
            text = f"the event is not sealed, after {self._late_after} seconds"
            self._verdict.add(Found.UNSEALED, text, event_id=str(name))

    def _tell(self, kind: Found, text: str, each: Row, row: SealRow | None = None) -> None:
        number, position = row.number if row else None, each[1]
        self._verdict.add(kind, text, seal=number, position=position, event_id=str(each[2]))


def _are_as_sealed(own: list[Row], row: SealRow) -> bool:
    """Tell whether no event of a seal was touched: what is mostly so is told at once."""
    positions = [each[1] for each in own]
    if positions != list(range(row.first_position, row.first_position + len(own))):
        return False
    return len(own) == row.events and b"".join(map(_leaf_of, own)) == row.leaves


def _leaf_of(each: Row) -> bytes:
    """Return the hash of an event; of what is no bytes there is none."""
    body = each[0]
    return leaf_hash(body) if isinstance(body, bytes) else b""


def _body_of(each: Row) -> dict[str, Any] | None:
    """Return an event; None for what was never one, and was put where it could be sealed."""
    try:
        body = _decode(each[0].decode())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("at"), int) else None


def _copies_of(body: dict[str, Any]) -> tuple[Any, ...]:
    """Return what stands beside the body of an event."""
    return (*map(body.get, _AS_THEY_ARE), _chain_of(body.get("chain")))


def _chain_of(chain: object) -> str | None:
    return spelled(tuple(map(str, chain))) if isinstance(chain, list) else None


def _index_of(rows: list[Row], position: int) -> int:
    """Return where `position` is, or would be."""
    return bisect_left(rows, position, key=itemgetter(1))


_EVENTS = Prepared(
    select(event.c.body, event.c.position, *(event.c[name] for name in _COPIES))
    .where(event.c.position.between(bindparam("first"), bindparam("last")))
    .order_by(event.c.position)
)
_COUNT = select(func.count()).select_from(event)
_SEALED_AT = (
    select(seal.c.sealed_at)
    .where(seal.c.first_position <= bindparam("position"))
    .order_by(seal.c.first_position.desc())
    .limit(1)
)
