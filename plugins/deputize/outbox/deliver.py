"""Sends what is due: a few at a time, each in a thread of its own, never on a request's path."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from ..core.db import Database
from .claim import claim, settle
from .delivery import Delivery, NotDelivered
from .models import Line

#: Seconds between two looks at what is due.
_TICK = 0.25

#: Seconds after which a database that was away is asked again.
_AWAY = 5


class Deliverer:
    """Sends for one process; any number of them may work on one database.

    :param deliveries: by kind; lines of other kinds are left to those who know them
    :param at_once: how many are sent at one time, at most
    """

    def __init__(self, db: Database, deliveries: Mapping[str, Delivery], at_once: int) -> None:
        self._db = db
        self._deliveries = deliveries
        self._at_once = at_once
        self._busy: list[str] = []
        self._freed = threading.Event()

    def deliver_due(self) -> int:
        """Send all that is due, and wait for it; return how many there were."""
        number = 0
        while True:
            # Looked at first: what ends after it frees its destination for more.
            is_busy = bool(self._busy)
            started = self._start_some()
            if not (started or is_busy):
                return number
            number += started
            self._freed.wait(_TICK)

    def run(self, stop: threading.Event) -> None:
        """Send whatever becomes due, until `stop` is set; a database that is away is awaited."""
        while not stop.is_set():
            try:
                self._start_some()
            except SQLAlchemyError as error:
                logging.getLogger(__name__).warning("outbox: %s", type(error).__name__)
                stop.wait(_AWAY)
            self._freed.wait(_TICK)

    def _start_some(self) -> int:
        self._freed.clear()
        free = self._at_once - len(self._busy)
        lines = claim(self._db, free, self._deliveries, list(self._busy)) if free else []
        for line in lines:
            self._busy.append(line.destination)
            threading.Thread(target=self._deliver, args=(line,), daemon=True).start()
        return len(lines)

    def _deliver(self, line: Line) -> None:
        try:
            settle(self._db, line, self._attempt(line))
        finally:
            # What failed otherwise lapses with its claim, and is tried again.
            self._busy.remove(line.destination)
            self._freed.set()

    def _attempt(self, line: Line) -> str | NotDelivered:
        if line.claimed_at >= line.expires_at:
            return NotDelivered("too late")
        try:
            return self._deliveries[line.kind](line)
        except NotDelivered as failure:
            return failure


class Runs(Protocol):
    """What works in a thread of its own until it is told to stop."""

    def run(self, stop: threading.Event) -> None: ...


class InEachProcess:
    """Runs something in the process that begins it: no thread is copied by a fork.

    :param make: returns what runs in this process
    :param stop: ends it, once it is set
    """

    def __init__(self, make: Callable[[], Runs], stop: threading.Event) -> None:
        self._make = make
        self._stop = stop
        self._begun_in = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start it, unless it runs in this process already."""
        if self._begun_in == os.getpid():
            return
        with self._lock:
            if self._begun_in != os.getpid():
                self._begun_in = os.getpid()
                run = self._make().run
                threading.Thread(target=run, args=(self._stop,), daemon=True).start()
