"""`python -m benchmarks.trail`: what the audit trail costs, and how soon it answers.

Exchanges on two servers side by side, of which one records nothing; then what happened to one
person, asked of a million events: of a day, by five thousand people, two hundred agents and a
hundred thousand tasks, so that the newest hundred of one person lie anywhere in it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from deputize.audit.models import event
from deputize.audit.query import Search, find_events
from deputize.audit.record import spelled
from deputize.core.clock import SystemClock
from deputize.core.db import Database
from deputize.core.secrets import new_id
from deputize.migrations import upgrade

from .__main__ import DATABASES, database_of
from .bulk import analyse, load
from .deputize_target import DeputizeTarget
from .postgres import Postgres
from .report import Bar, Reading, table, verdicts
from .rounds import RESULTS, Settings, run
from .target import Operation

#: The first finds its delegation again, and stores its event and what it took of the task's budget.
#: The others store a `jti`, or a delegation, in the same commit.
OPERATIONS = (Operation.EXCHANGE, Operation.EXCHANGE_JWT, Operation.EXCHANGE_NEW_NODE)
RECORDS, SILENT = "recording", "recording nothing"
#: Throughput with the trail, of that without; and milliseconds for the newest of one person.
LEAST, MOST_MS = 0.9, 50.0
BATCH, NEWEST, ASKED = 20_000, 100, 50
PEOPLE, AGENTS, TASKS, DAY = 5_000, 200, 100_000, 86_400


class RecordingTarget(DeputizeTarget):
    name = RECORDS
    operations = frozenset(OPERATIONS)


class SilentTarget(RecordingTarget):
    name = SILENT

    def environment(self) -> dict[str, str]:
        before = os.environ.get("PYTHONPATH")
        paths = [str(Path(__file__).parent / "silent"), *([before] if before else [])]
        return {"PYTHONPATH": os.pathsep.join(paths)}


def main() -> None:
    settings, events, databases = read_settings()
    for name in databases:
        with database_of(name) as postgres:
            print(f"on {postgres.version if postgres else 'SQLite'}\n", flush=True)
            compare(settings, postgres)
            with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
                file = f"sqlite:///{folder}/trail.sqlite3"
                query(postgres.create_database() if postgres else file, events)


def compare(settings: Settings, postgres: Postgres | None) -> None:
    """Print what exchanges cost with the trail and without, by turns."""
    for workers in settings.workers:
        rounds = run((RecordingTarget, SilentTarget), settings, workers, postgres)
        bars = [
            Bar(
                f"{operation}, recording, of recording nothing",
                Reading(RECORDS, operation),
                Reading(SILENT, operation),
                LEAST,
            )
            for operation in OPERATIONS
        ]
        print(table(workers, rounds), verdicts(workers, rounds, bars), sep="\n\n", flush=True)


def query(url: str, events: int) -> None:
    """Print how long the newest of one person take among so many events."""
    db = Database(url, SystemClock())
    upgrade(db)
    began = db.clock.now() - DAY
    for start in range(0, events, BATCH):
        with db.write() as tx:
            load(
                tx,
                event,
                [happened(n, began + n * DAY // events) for n in range(start, start + BATCH)],
            )
    analyse(db)
    first = [timed(partial(newest, db, f"person-{who}")) for who in range(ASKED)]
    worst, usual = max(first), median(first)
    is_met = "reached" if worst < MOST_MS else "NOT reached"
    print(
        f"\nthe newest {NEWEST} of one person among {events:,} events: median {usual:.2f} ms, "
        f"the slowest of {len(first)} {worst:.2f} ms (below {MOST_MS:.0f}: {is_met})\n",
        flush=True,
    )
    db.close()


def happened(number: int, at: int) -> dict[str, object]:
    """Return one of many events, as an exchange leaves it."""
    task = number * 7_919 % TASKS  # scattered over the day
    chain = (f"agent-{task % AGENTS}",)
    return {
        "id": f"{at:x}-{new_id()}",
        "at": at,
        "kind": "delegation.issued",
        "person_id": f"person-{task % PEOPLE}",
        "agent": chain[-1],
        "task_id": f"task-{task}",
        "delegation_id": new_id(),
        "chain": spelled(chain),
        "body": b"{" + b"-" * 400 + b"}",
    }


def newest(db: Database, who: str) -> None:
    with db.read() as tx:
        found = find_events(tx, Search(person_id=who), NEWEST)
    assert len(found) == NEWEST


def timed(ask: Callable[[], None]) -> float:
    """Return the milliseconds that it takes, asked for the first time."""
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def read_settings() -> tuple[Settings, int, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trail")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--databases", choices=DATABASES, nargs="+", default=DATABASES)
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    settings = Settings(tuple(given.workers), given.rounds, given.seconds, connections=16)
    return settings, given.events, list(given.databases)


if __name__ == "__main__":
    main()
