"""Seals what has happened, a batch at a time, in a short transaction beside the decisions.

Recording an event waits for nobody: it has no position. Here the committed ones get theirs, in
the order of their times, and what is signed holds the batch's tree and the hash of the seal
before. An event that commits later is in a later seal: there is no gap, and none is moved.
"""

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, bindparam, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..core.db import Database, Transaction
from .checkpoint_file import CheckpointFile
from .keys import SEALING, AuditKeys, SigningKey
from .merkle import leaf_hash, tree_hash
from .models import as_stored, event, seal
from .statement import Statement, encoded, hash_of, sign

#: Events of one seal, at most: on SQLite, whoever issues waits meanwhile.
AT_ONCE = 200

#: Seconds after which a database that was away is asked again.
_AWAY = 5

_LOG = logging.getLogger(__name__)

#: Told of each seal in its transaction, with the kinds of its events.
Announce = Callable[[Transaction, Collection[str]], None]


@dataclass(frozen=True, slots=True)
class Sealed:
    """One seal that was made.

    :param signed: its statement, as it is handed out
    """

    statement: Statement
    signed: str
    kinds: frozenset[str]


@dataclass(frozen=True)
class Sealer:
    """Seals one trail; any number of them may work on one database.

    :param announce: tells others, in the seal's transaction
    :param file: where checkpoints are kept on this machine
    :param every: seconds between two looks at what waits
    """

    issuer: str
    db: Database
    keys: AuditKeys
    announce: Announce
    file: CheckpointFile | None = None
    every: int = 1

    def seal(self) -> int:
        """Seal all that is committed by now; return how many events there were.

        :raises ConfigurationError: where the key cannot be opened
        """
        number = 0
        while sealed := self._seal_some():
            number += sealed.statement.events
            self.keep(sealed)
            if sealed.statement.events < AT_ONCE:
                break
        return number

    def run(self, stop: threading.Event) -> None:
        """Seal what waits, until `stop` is set; what fails once is tried again."""
        while not stop.wait(self.every):
            try:
                self.seal()
            except SQLAlchemyError as error:
                _LOG.warning("audit: not sealed: %s", type(error).__name__)
                stop.wait(_AWAY)
            except Exception:  # noqa: BLE001 - see below
                # Whatever it was that somebody wrote there: a trail that is not sealed any more
                # is what they want.
                _LOG.exception("audit: not sealed")
                stop.wait(_AWAY)

    def seal_in(self, tx: Transaction, next_kid: str | None = None) -> Sealed | None:
        """Seal a batch in a transaction that holds `SEALING`; None where nothing waits."""
        return self._seal_batch(tx, self.keys.signing(tx), next_kid)

    def rotate(self) -> str:
        """Replace the key, whose last statement names the new one; return the new one's id."""
        with self.db.write([SEALING]) as tx:
            old = self.keys.signing(tx)
            kid = self.keys.make(tx)
            sealed = self._seal_batch(tx, old, next_kid=kid)
        if sealed:
            self.keep(sealed)
        return kid

    def keep(self, sealed: Sealed) -> None:
        """Keep a checkpoint on this machine, once the seal is committed."""
        if self.file is None:
            return
        try:
            self.file.keep(sealed.statement, sealed.signed, self._find_signed)
        except OSError as error:
            _LOG.warning("audit: no checkpoint is kept: %s", error)

    def _seal_some(self) -> Sealed | None:
        with self.db.read() as tx:
            # Most looks find nothing; that should cost no writer anything.
            if tx.execute(_WAITS).first() is None:
                return None
        with self.db.write([SEALING]) as tx:
            return self.seal_in(tx)

    def _seal_batch(
        self, tx: Transaction, key: SigningKey, next_kid: str | None = None
    ) -> Sealed | None:
        before = tx.execute(_NEWEST).first()
        first = _next_position(tx, before)
        batch = sorted(_place(tx, first))
        if not batch:
            return None
        leaves = [leaf_hash(body) for _, body, _ in batch]
        statement = Statement(
            issuer=self.issuer,
            number=before.number + 1 if before else 1,
            first_position=first,
            events=len(batch),
            tree=encoded(tree_hash(leaves)),
            previous=hash_of(before.statement) if before else None,
            sealed_at=tx.now,
            next_kid=next_kid,
        )
        sealed = Sealed(statement, sign(statement, key), frozenset(kind for _, _, kind in batch))
        tx.execute(insert(seal), _row(sealed, leaves))
        self.announce(tx, sealed.kinds)
        return sealed

    def _find_signed(self, number: int) -> str | None:
        with self.db.read() as tx:
            return tx.execute(select(seal.c.statement).where(seal.c.number == number)).scalar()


def find_newest(tx: Transaction) -> str | None:
    """Return the newest statement: what is handed out as a checkpoint."""
    newest = tx.execute(_NEWEST).first()
    return newest.statement if newest else None


def _next_position(tx: Transaction, before: Any) -> int:
    # Where somebody deleted seals, their events still have positions: what is new is sealed
    # after them all the same, and the gap is found.
    highest = tx.execute(_HIGHEST).scalar() or 0
    return 1 + max(highest, before.first_position + before.events - 1 if before else 0)


def _place(tx: Transaction, first: int) -> list[tuple[int, bytes, str]]:
    """Give the oldest that wait their positions; return those with bodies and kinds."""
    given = tx.execute(_GIVEN, {"before": first - 1, "at_once": AT_ONCE})
    return [(row.position, _as_bytes(row.body), row.kind) for row in given]


def _as_bytes(body: object) -> bytes:
    # What is no bytes, on SQLite, somebody wrote: it is sealed as it is, and found.
    return body if isinstance(body, bytes) else str(body).encode(errors="replace")


def _giving() -> Executable:
    waits = select(event.c.at, event.c.id).where(event.c.position.is_(None))
    oldest = waits.order_by(event.c.at, event.c.id).limit(bindparam("at_once")).subquery("oldest")
    by_time = func.row_number().over(order_by=(oldest.c.at, oldest.c.id))
    placed = select(oldest.c.id, by_time.label("place")).subquery("placed")
    return (
        update(event)
        .where(event.c.id == placed.c.id, event.c.position.is_(None))
        .values(position=placed.c.place + bindparam("before"))
        .returning(event.c.position, as_stored(event.c.body), event.c.kind)
    )


def _row(sealed: Sealed, leaves: list[bytes]) -> dict[str, Any]:
    statement = sealed.statement
    return {
        "number": statement.number,
        "first_position": statement.first_position,
        "events": statement.events,
        "sealed_at": statement.sealed_at,
        "leaves": b"".join(leaves),
        "statement": sealed.signed,
    }


_GIVEN = _giving()
_WAITS = select(event.c.id).where(event.c.position.is_(None)).limit(1)
_NEWEST = select(seal.c.number, seal.c.first_position, seal.c.events, seal.c.statement)
_NEWEST = _NEWEST.where(seal.c.number > 0).order_by(seal.c.number.desc()).limit(1)
_HIGHEST = select(func.max(event.c.position)).where(event.c.position.is_not(None))
