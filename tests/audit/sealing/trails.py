"""A trail of its own on a real database, and whoever can write to that."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, text

from deputize.audit.checkpoint_file import CheckpointFile, statements_in
from deputize.audit.findings import Found, Verdict
from deputize.audit.keys import AuditKeys
from deputize.audit.models import audit_key, event, seal
from deputize.audit.record import Event, record_all
from deputize.audit.seal import Sealer, find_newest
from deputize.audit.verify import verify
from deputize.core.db import Database, Transaction

ISSUER = "https://id.example.com"
SECRET = "what encrypts the keys at rest"
LATE_AFTER = 60


@dataclass
class SetClock:
    """A clock that a test moves."""

    time: int = 1_790_000_000
    is_authoritative = True

    def now(self) -> int:
        return self.time


@dataclass
class Trail:
    """What a server does with its trail, and what an intruder does."""

    db: Database
    clock: SetClock
    file: CheckpointFile
    announced: list[frozenset[str]] = field(default_factory=list)

    @property
    def sealer(self) -> Sealer:
        return Sealer(ISSUER, self.db, AuditKeys(SECRET), self._announce, self.file)

    def _announce(self, _: Transaction, kinds: Any) -> None:
        self.announced.append(frozenset(kinds))

    def empty(self) -> None:
        """Begin anew: one event, that of the key."""
        with self.db.write() as tx:
            for table in (event, seal, audit_key):
                tx.execute(delete(table))
        for file in (self.file.path, self.file.newest):
            file.unlink(missing_ok=True)
        self.sealer.keys.prepare(self.db)

    def happen(self, number: int = 1, kind: str = "delegation.issued") -> None:
        """Let so many things happen, committed together."""
        with self.db.write() as tx:
            told = (Event(kind, agent="planner", facts={"jti": str(n)}) for n in range(number))
            record_all(tx, told)

    def sealed(self, *batches: int) -> None:
        """Let batches of so many things happen and be sealed, a second apart."""
        for number in batches:
            self.happen(number)
            self.sealer.seal()
            self.clock.time += 1

    def verify(self, *checkpoints: str) -> Verdict:
        """Examine it, against these checkpoints alone."""
        return verify(self.db, checkpoints, LATE_AFTER)

    def verify_here(self) -> Verdict:
        """Examine it against what this machine has kept."""
        return verify(self.db, statements_in(self.file.lines()), LATE_AFTER)

    def checkpoint(self) -> str:
        with self.db.read() as tx:
            newest = find_newest(tx)
        assert newest is not None
        return newest

    def tamper(self, sql: str, **values: Any) -> int:
        """Write to the database as somebody who holds it; return how many rows were changed."""
        with self.db.write() as tx:
            return tx.execute(text(sql), values).rowcount

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.db.read() as tx:
            return list(tx.execute(text(sql), values).all())

    def id_at(self, position: int) -> str:
        with self.db.read() as tx:
            return str(tx.execute(select(event.c.id).where(event.c.position == position)).scalar())

    def copied(self) -> dict[Any, list[dict[str, Any]]]:
        """Return all rows, as a backup has them."""
        with self.db.read() as tx:
            return {
                table: [dict(row) for row in tx.execute(select(table)).mappings()]
                for table in (event, seal, audit_key)
            }

    def put_back(self, copied: dict[Any, list[dict[str, Any]]]) -> None:
        with self.db.write() as tx:
            for table, rows in copied.items():
                tx.execute(delete(table))
                tx.execute(table.insert(), rows)


def kinds(verdict: Verdict) -> set[Found]:
    return {finding.kind for finding in verdict.findings}


def only(verdict: Verdict) -> tuple[Found, int | None, int | None, str | None]:
    """Return the one finding: its kind, seal, position and event."""
    (finding,) = verdict.findings
    return finding.kind, finding.seal, finding.position, finding.event_id


def made_in(folder: Path, url: str) -> Trail:
    clock = SetClock()
    return Trail(Database(url, clock), clock, CheckpointFile(folder / "checkpoints.jsonl"))
