"""Tells whether the trail is what was sealed, and which event was touched where it is not.

Each event's body is compared with its leaf and its columns with the body, each batch with its
tree, each seal with its signature and with the one before, and the whole with checkpoints that
lay elsewhere. Everything is read of one moment, in pages.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy import bindparam, func, select

from ..core.db import Database, Prepared, Transaction
from .checkpoints import Checkpoints
from .findings import Found, Verdict
from .keys import find_public_keys
from .merkle import SIZE, leaf_hash, tree_hash
from .models import event, seal
from .put_away import KEPT_AT_LEAST, PUT_AWAY
from .statement import NotAStatement, Statement, encoded, hash_of, read

#: Seals that are read at one time, with their events.
_PAGE = 32

_DECODE = json.JSONDecoder().decode
_COPIES = tuple(c.name for c in event.c if c.name not in ("body", "position"))
_LOWEST = -(2**62)

Row = tuple[Any, ...]


def verify(db: Database, checkpoints: Sequence[str | None], late_after: int) -> Verdict:
    """Examine the whole trail.

    :param checkpoints: statements that lay elsewhere; None for what should have been one
    :param late_after: seconds in which each event is sealed
    """
    with db.snapshot() as tx:
        return _Examination(tx, find_public_keys(tx), late_after).run(checkpoints)


@dataclass
class _Missing:
    """Positions from `first` to `last` that no event has, of one seal."""

    first: int
    last: int
    seal: int


@dataclass
class _Examination:
    tx: Transaction
    keys: dict[str, ECKey]
    late_after: int
    verdict: Verdict = field(default_factory=Verdict)
    missing: list[_Missing] = field(default_factory=list)
    latest_at: int = 0
    put_away_through: int = 0

    def run(self, checkpoints: Sequence[str | None]) -> Verdict:
        before = _Before()
        compared = Checkpoints(checkpoints, self.keys, self.verdict)
        end = _LOWEST
        for page in self._pages():
            after, end = end, max(end, *(row.first_position + row.events - 1 for row in page))
            rows = _EVENTS.run(self.tx, {"after": after, "through": end}).fetchall()
            for row in page:
                statement = self._examine_seal(row, before)
                compared.compare(row.number, row.statement, statement)
                rows = self._examine_events(row, rows, statement)
            self._unexpected(rows)
        self._unexpected(_EVENTS.run(self.tx, {"after": end, "through": -_LOWEST - 1}).fetchall())
        compared.finish(before.number)
        self._judge_missing()
        self._examine_waiting()
        return self.verdict

    def _pages(self) -> Iterator[Sequence[Any]]:
        number = _LOWEST
        while page := self.tx.execute(_SEALS, {"after": number}).all():
            yield page
            number = page[-1].number

    # -- a seal -------------------------------------------------------------------

    def _examine_seal(self, row: Any, before: "_Before") -> Statement | None:
        """Compare a seal with what was signed, and with the one before."""
        self.verdict.seals += 1
        add, number = self.verdict.add, row.number
        if number != before.number + 1:
            add(
                Found.SEAL_MISSING, f"no seal from {before.number + 1} to {number - 1}", seal=number
            )
        try:
            statement, kid = read(row.statement, self.keys)
        except NotAStatement as error:
            add(Found.BAD_SIGNATURE, f"the seal {error}", seal=number)
            before.follow(row, None, None)
            return None
        if not _is_as_signed(row, statement):
            add(Found.SEAL_EDITED, "the seal's row is not what was signed", seal=number)
        if before.signed is not None and number == before.number + 1:
            if statement.previous != hash_of(before.signed):
                add(Found.BROKEN_CHAIN, "the seal does not follow the one before", seal=number)
            elif before.kid is not None and kid != before.kid:
                add(Found.BAD_SIGNATURE, "the seal's key is not the one to sign it", seal=number)
        if statement.first_position != before.last_position + 1:
            text = f"begins at position {statement.first_position}, not {before.last_position + 1}"
            add(Found.BROKEN_CHAIN, f"the seal {text}", seal=number)
        before.follow(row, statement, kid)
        return statement

    # -- its events ----------------------------------------------------------------

    def _examine_events(self, row: Any, rows: list[Row], statement: Statement | None) -> list[Row]:
        """Compare the events of a seal with its leaves; return the rows that come after."""
        first, end = row.first_position, row.first_position + row.events
        start = _index_of(rows, first)
        self._unexpected(rows[:start])
        stop = _index_of(rows, end, start)
        own, leaves = rows[start:stop], row.leaves
        if len(own) == row.events and b"".join([leaf_hash(r[0]) for r in own]) == leaves:
            for each in own:
                self._examine_copies(each, row)
        else:
            self._examine_each(own, row)
        self.verdict.events += len(own)
        return rows[stop:]

    def _examine_each(self, own: list[Row], row: Any) -> None:
        expected = row.first_position
        for each in own:
            body, position = each[0], each[1]
            self._miss(expected, position - 1, row.number)
            expected = position + 1
            leaf, index = leaf_hash(body), position - row.first_position
            if leaf == row.leaves[index * SIZE : (index + 1) * SIZE]:
                self._examine_copies(each, row)
                continue
            elsewhere = _find_leaf(row.leaves, leaf)
            where = {"seal": row.number, "position": position, "event_id": each[2]}
            if elsewhere is None:
                self.verdict.add(Found.EDITED, "the event is not what was sealed", **where)
            else:
                text = f"the event was sealed at position {row.first_position + elsewhere}"
                self.verdict.add(Found.MOVED, text, **where)
        self._miss(expected, row.first_position + row.events - 1, row.number)

    def _examine_copies(self, each: Row, row: Any) -> None:
        """Compare the columns of an intact event with its body: people search by them."""
        where = {"seal": row.number, "position": each[1], "event_id": each[2]}
        body = _body_of(each[0])
        if body is None:
            self.verdict.add(Found.UNEXPECTED, "what was sealed is no event", **where)
            return
        if tuple(map(body.get, _COPIES)) != each[2:]:
            wrong = [n for n, value in zip(_COPIES, each[2:], strict=True) if body.get(n) != value]
            self.verdict.add(Found.COPY_EDITED, f"columns were edited: {', '.join(wrong)}", **where)
        at = body["at"]
        if at > self.latest_at:
            self.latest_at = at
        elif at < self.latest_at - self.late_after:
            text = f"sealed {self.latest_at - at} seconds or more after it is said to have happened"
            self.verdict.add(Found.OUT_OF_ORDER, text, **where)
        if body.get("kind") == PUT_AWAY:
            self._allow(body, row)

    def _allow(self, body: dict[str, Any], row: Any) -> None:
        """Believe that events were put away, where they were as old as they have to be."""
        through = body.get("through_position")
        if not isinstance(through, int) or through > row.first_position:
            return
        of_then = self.tx.execute(_SEALED_AT, {"position": through}).first()
        if of_then and of_then.sealed_at <= row.sealed_at - KEPT_AT_LEAST:
            self.put_away_through = max(self.put_away_through, through)

    def _miss(self, first: int, last: int, number: int) -> None:
        if first <= last:
            self.missing.append(_Missing(first, last, number))

    def _judge_missing(self) -> None:
        for gap in self.missing:
            first = max(gap.first, self.put_away_through + 1)
            self.verdict.put_away += max(0, min(first, gap.last + 1) - gap.first)
            for position in range(first, gap.last + 1):
                text = "the event is missing"
                self.verdict.add(Found.MISSING, text, seal=gap.seal, position=position)

    def _unexpected(self, rows: list[Row]) -> None:
        for each in rows:
            text = "the event has a position that no seal gave it"
            self.verdict.add(Found.UNEXPECTED, text, position=each[1], event_id=each[2])

    # -- what is not sealed ---------------------------------------------------------

    def _examine_waiting(self) -> None:
        waits = event.c.position.is_(None)
        self.verdict.waiting = self.tx.execute(select(func.count()).where(waits)).scalar_one()
        late = select(event.c.id).where(waits, event.c.at < self.tx.now - self.late_after)
        for name in self.tx.execute(late.order_by(event.c.at, event.c.id)).scalars():
            text = f"the event is not sealed, after {self.late_after} seconds"
            self.verdict.add(Found.UNSEALED, text, event_id=name)
        if self.keys and not self.verdict.seals and not self.verdict.waiting:
            # Whoever made the key left an event.
            self.verdict.add(Found.MISSING, "there is no event at all")


@dataclass
class _Before:
    """The seal before, and what it says of the next."""

    number: int = 0
    last_position: int = 0
    signed: str | None = None
    kid: str | None = None

    def follow(self, row: Any, statement: Statement | None, kid: str | None) -> None:
        self.number, self.signed = row.number, row.statement
        last = statement.last_position if statement else row.first_position + row.events - 1
        self.last_position = last
        self.kid = (statement.next_kid or kid) if statement else None


def _body_of(body: bytes) -> dict[str, Any] | None:
    """Return an event; None for what was never one, and was put where it could be sealed."""
    try:
        read = _DECODE(body.decode())
    except (ValueError, RecursionError):
        return None
    is_event = isinstance(read, dict) and isinstance(read.get("at"), int)
    return read if is_event else None


def _is_as_signed(row: Any, statement: Statement) -> bool:
    same = (
        row.number == statement.number
        and row.first_position == statement.first_position
        and row.events == statement.events
        and row.sealed_at == statement.sealed_at
        and len(row.leaves) == statement.events * SIZE
    )
    return same and encoded(tree_hash(_split(row.leaves))) == statement.tree


def _split(leaves: bytes) -> list[bytes]:
    return [leaves[at : at + SIZE] for at in range(0, len(leaves), SIZE)]


def _find_leaf(leaves: bytes, leaf: bytes) -> int | None:
    split = _split(leaves)
    return split.index(leaf) if leaf in split else None


def _index_of(rows: list[Row], position: int, start: int = 0) -> int:
    """Return where `position` is or would be: mostly just as far on as it is higher."""
    low, high = start, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle][1] < position:
            low = middle + 1
        else:
            high = middle
    return low


_EVENTS = Prepared(
    select(event.c.body, event.c.position, *(event.c[name] for name in _COPIES))
    .where(event.c.position > bindparam("after"), event.c.position <= bindparam("through"))
    .order_by(event.c.position)
)
_SEALS = select(seal).where(seal.c.number > bindparam("after")).order_by(seal.c.number).limit(_PAGE)
_SEALED_AT = (
    select(seal.c.sealed_at)
    .where(seal.c.first_position <= bindparam("position"))
    .order_by(seal.c.first_position.desc())
    .limit(1)
)
