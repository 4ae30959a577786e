"""Polls that are held until there is an answer (CIBA Core §7.3), in this process.

Each waits on an event of its own, without a connection. One thread looks, in one statement,
which of all that wait are over, and wakes those; it runs while any waits, and takes at most
a twentieth of the time for it.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import ClauseElement, Text, bindparam, cast, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.exc import SQLAlchemyError

from ..core.db import Database, Prepared
from ..delegation.models import delegation
from .models import Status, approval

#: Where a server that lets few requests run at a time says how one steps aside meanwhile.
STEP_ASIDE = "deputize.step_aside"

StepAside = Callable[[], AbstractContextManager[object]]

#: Seconds between two looks, at least; and what share of the time they may take.
_TICK, _SHARE = 0.05, 20


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    approval_id: str
    client_id: str
    over: threading.Event = field(default_factory=threading.Event)


class Holding:
    """The polls that one process holds.

    :param most: how many, at most
    :param per_client: of one client, at most
    """

    def __init__(self, db: Database, most: int, per_client: int) -> None:
        self._db = db
        self._most = most
        self._per_client = per_client
        self._held: set[_Held] = set()
        self._of_client: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._is_watched = False
        self._ended = threading.Event()

    def how_many(self) -> int:
        """Return how many polls are held."""
        return len(self._held)

    def has_room(self, client_id: str) -> bool:
        """Tell whether one more poll of this client may be held."""
        is_room = len(self._held) < self._most and self._of_client[client_id] < self._per_client
        return is_room and not self._ended.is_set()

    def wait(self, approval_id: str, client_id: str, seconds: float) -> bool:
        """Wait until there is something to say of the approval; tell whether there is."""
        held = _Held(approval_id, client_id)
        if not self._enter(held):
            return False
        try:
            return held.over.wait(seconds) and not self._ended.is_set()
        finally:
            self._leave(held)

    def end(self) -> None:
        """Hold nothing any more: the process is to stop."""
        self._ended.set()
        with self._lock:
            for held in self._held:
                held.over.set()

    def _enter(self, held: _Held) -> bool:
        with self._lock:
            if not self.has_room(held.client_id):
                return False
            self._held.add(held)
            self._of_client[held.client_id] += 1
            if not self._is_watched:
                self._is_watched = True
                threading.Thread(target=self._watch, daemon=True).start()
        return True

    def _leave(self, held: _Held) -> None:
        with self._lock:
            self._held.discard(held)
            self._of_client[held.client_id] -= 1
            if not self._of_client[held.client_id]:
                del self._of_client[held.client_id]

    def _watch(self) -> None:
        while ids := self._all_held():
            began = time.monotonic()
            try:
                over = find_over(self._db, ids)
            except SQLAlchemyError:
                over = frozenset()  # Each ends by its own time, and says what it finds then.
            with self._lock:
                for held in self._held:
                    if held.approval_id in over:
                        held.over.set()
            self._ended.wait(max(_TICK, _SHARE * (time.monotonic() - began)))

    def _all_held(self) -> frozenset[str]:
        with self._lock:
            ids = frozenset(held.approval_id for held in self._held if not held.over.is_set())
            self._is_watched = bool(ids) and not self._ended.is_set()
            return ids if self._is_watched else frozenset()


def find_over(db: Database, ids: Collection[str]) -> frozenset[str]:
    """Return which of these approvals do not wait for anybody any more."""
    with db.read() as tx:
        values = {"ids": json.dumps(list(ids)), "now": tx.now}
        return frozenset(row[0] for row in _OVER.run(tx, values))


def _over(dialect: str) -> ClauseElement:
    if dialect == "sqlite":
        asked = func.json_each(bindparam("ids", type_=Text)).table_valued("value")
    else:
        told = cast(bindparam("ids", type_=Text), JSON)
        asked = func.json_array_elements_text(told).table_valued("value").render_derived()
    return (
        select(approval.c.id)
        .select_from(asked)
        .join(approval, approval.c.id == asked.c.value)
        .outerjoin(delegation, delegation.c.id == approval.c.delegation_id)
        .where(
            or_(
                approval.c.status != literal_column(f"'{Status.PENDING}'"),
                approval.c.expires_at <= bindparam("now"),
                delegation.c.id.is_(None),
                delegation.c.ended_at.is_not(None),
            )
        )
    )


_OVER = Prepared(_over)
