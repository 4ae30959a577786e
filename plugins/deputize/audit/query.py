"""Searching the trail: what happened to whom, by whom and when.

An event's id begins with its time, so a place in the trail is an id. Pages go on from the
last one seen, by key: the thousandth costs as much as the first, and what is recorded
meanwhile shifts nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from ..core.db import Database, Transaction
from .models import event
from .record import spelled

#: Events that are read at once where all are.
PAGE = 1000

#: Of the time in an id: more than any clock tells.
_HEX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: all that is given holds.

    :param person_id: our id of the person on whose behalf
    :param agent: client id of who acted, or was acted upon
    :param through: client id of who did, or stands anywhere in the chain
    :param kind: a kind, or what stands before the dot of several
    :param since: NumericDate from which on
    :param until: NumericDate before which
    """

    person_id: str | None = None
    agent: str | None = None
    through: str | None = None
    task_id: str | None = None
    delegation_id: str | None = None
    kind: str | None = None
    rule: str | None = None
    since: int | None = None
    until: int | None = None


class Told(NamedTuple):
    """One event as it was recorded; `body` is its canonical JSON."""

    at: int
    id: str
    body: bytes


class Place(NamedTuple):
    """Where an event stands.

    :param position: None until it is sealed
    """

    at: int
    id: str
    position: int | None


def find_events(
    tx: Transaction, search: Search, limit: int, before: str | None = None
) -> list[Told]:
    """Return the newest, newest first.

    :param before: the id of an event: only those that came before it
    :raises ValueError: where that is no event's id
    """
    asked = _selecting(search).order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
    if before is not None:
        at = time_of(before)
        earlier = or_(event.c.at < at, event.c.id < before)
        asked = asked.where(event.c.at <= at, earlier)
    return [Told(row.at, row.id, row.body) for row in tx.execute(asked)]


def each_event(db: Database, search: Search) -> Iterator[Told]:
    """Yield all of them, oldest first; a page at a time is read, and no more is held."""
    asked = _selecting(search).order_by(event.c.at, event.c.id).limit(PAGE)
    page = _read(db, asked)
    while page:
        yield from page
        last = page[-1]
        later = or_(event.c.at > last.at, event.c.id > last.id)
        page = _read(db, asked.where(event.c.at >= last.at, later))


def places_after(tx: Transaction, search: Search, position: int) -> list[Place]:
    """Return the places of what is not sealed, or was sealed after `position`, oldest first."""
    oldest = _oldest_after(tx, position) if position else 0
    if oldest is None:
        return []
    since = max(oldest, search.since or 0)
    # By time, which every index has: what is there of a position is told by no index beside it.
    asked = _selecting(replace(search, since=since)).order_by(event.c.at, event.c.id)
    rows = tx.execute(asked.with_only_columns(event.c.at, event.c.id, event.c.position))
    places = (Place(row.at, row.id, row.position) for row in rows)
    return [one for one in places if one.position is None or one.position > position]


def find_highest(tx: Transaction) -> int:
    """Return the highest position; 0 where nothing is sealed."""
    highest = select(func.max(event.c.position)).where(event.c.position.is_not(None))
    return int(tx.execute(highest).scalar() or 0)


def time_of(event_id: str) -> int:
    """Return the NumericDate that an event's id begins with.

    :raises ValueError: where it does not
    """
    told = event_id.partition("-")[0]
    if len(told) > _HEX_DIGITS:
        raise ValueError(event_id)
    return int(told, 16)


def _oldest_after(tx: Transaction, position: int) -> int | None:
    both = (event.c.position.is_(None), event.c.position > position)
    found = (tx.execute(select(func.min(event.c.at)).where(those)).scalar() for those in both)
    return min((int(at) for at in found if at is not None), default=None)


def _read(db: Database, asked: Select[Any]) -> list[Told]:
    with db.read() as tx:
        return [Told(row.at, row.id, row.body) for row in tx.execute(asked)]


def _selecting(search: Search) -> Select[Any]:
    named = ("person_id", "agent", "task_id", "delegation_id", "rule")
    wanted = [
        event.c[name] == getattr(search, name)
        for name in named
        if getattr(search, name) is not None
    ]
    if search.through is not None:
        wanted.append(_is_through(search.through))
    if search.kind is not None:
        family = event.c.kind.startswith(f"{search.kind}.", autoescape=True)
        wanted.append(or_(event.c.kind == search.kind, family))
    if search.since is not None:
        wanted.append(event.c.at >= search.since)
    if search.until is not None:
        wanted.append(event.c.at < search.until)
    return select(event.c.at, event.c.id, event.c.body).where(*wanted)


def _is_through(client_id: str) -> ColumnElement[bool]:
    """Tell what a client took part in.

    Whoever stands in a chain has an event of their own in that task: so a task is found by an
    index, and no row is kept for each agent of each chain.
    """
    inner = event.alias("own")
    tasks = select(inner.c.task_id).where(inner.c.agent == client_id, inner.c.task_id.is_not(None))
    # LIKE would take `_` for any letter, and on SQLite a capital for a small one.
    without = func.replace(event.c.chain, spelled((client_id,)), "")
    in_chain = and_(event.c.task_id.in_(tasks), without != event.c.chain)
    return or_(event.c.agent == client_id, in_chain)
