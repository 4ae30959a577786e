"""`python -m benchmarks`: all servers on one machine, in one run, side by side."""

import argparse
import json
import os
import platform
import sqlite3
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime

from .authlib_docs import AuthlibDocsTarget
from .deputize_target import DeputizeTarget
from .floor_target import FloorTarget
from .postgres import Postgres, running_postgres
from .report import table, verdicts
from .rounds import RESULTS, MakeTarget, Round, Settings, run

DATABASES = ("sqlite", "postgresql")
TARGETS: tuple[MakeTarget, ...] = (FloorTarget, AuthlibDocsTarget, DeputizeTarget)


def main() -> None:
    settings, database = read_settings()
    busy, cores = os.getloadavg()[0], os.cpu_count()
    print(
        f"{cores} cores, load average {busy:.1f} before the run: others' work falsifies figures\n"
    )
    runs = {}
    with database_of(database) as postgres:
        print(
            f"on {postgres.version}, the floor on SQLite" if postgres else "on SQLite", end="\n\n"
        )
        for workers in settings.workers:
            runs[workers] = run(TARGETS, settings, workers, postgres)
            print(table(workers, runs[workers]), verdicts(workers, runs[workers]), sep="\n\n")
            print(flush=True)
    print(f"kept in benchmarks/results/{save(settings, runs, database)}")


def database_of(name: str) -> AbstractContextManager[Postgres | None]:
    """The PostgreSQL of this run; None for SQLite, of which each server has a file of its own."""
    return running_postgres() if name == "postgresql" else nullcontext()


def read_settings() -> tuple[Settings, str]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run in under a minute")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="the length of one measure")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0])
    given = parser.parse_args()
    rounds, seconds = (2, 0.4) if given.quick else (7, 2.0)
    settings = Settings(
        workers=tuple(given.workers),
        rounds=given.rounds or rounds,
        seconds=given.seconds or seconds,
        connections=given.connections,
    )
    return settings, given.database


def save(settings: Settings, runs: dict[int, list[Round]], database: str) -> str:
    """Keep every measure as JSON; returns the file's name."""
    rows = [
        {"workers": workers, "round": number, "target": target, "operation": operation}
        | asdict(figures)
        for workers, rounds in runs.items()
        for number, measures in enumerate(rounds)
        for (target, operation), figures in measures.items()
    ]
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "database": database,
    }
    document = {"machine": machine, "settings": asdict(settings), "measures": rows}
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1))
    return path.name


if __name__ == "__main__":
    main()
