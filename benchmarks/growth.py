"""`python -m benchmarks.growth`: what an exchange and an introspection cost once much is stored.

The same server on databases of different sizes, all up at once and measured in turn. What
is stored is `forest.py`'s, and the trees that are asked about stand everywhere in it, so
that a large database answers from where its rows really lie.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from deputize.core.clock import SystemClock
from deputize.core.db import Database
from deputize.delegation.node import Delegation

from .__main__ import DATABASES, database_of
from .bulk import analyse
from .deputize_target import CHAINS, DeputizeTarget
from .forest import grow
from .postgres import Postgres
from .report import Bar, Reading, table, verdicts
from .rounds import MakeTarget, Settings, run
from .target import Operation

SIZES = (1_000, 100_000, 1_000_000)
OPERATIONS = (Operation.EXCHANGE, Operation.EXCHANGE_NEW_NODE, Operation.INTROSPECTION)
#: What a thousandfold database may cost, of what the smallest does.
MOST = 1.15
#: Trees that are planted at once: ten thousand delegations, about.
BATCH = 2_000
#: Tokens that are asked about, whatever the size: each is verified as often as any other.
ASKED = 512


class GrownTarget(DeputizeTarget):
    """Deputize with `size` delegations stored."""

    operations = frozenset(OPERATIONS)
    chains = {name: CHAINS[name] for name in ("root", "wide")}  # noqa: RUF012 - not changed

    def __init__(
        self, data: Path, port: int, database: Postgres | None = None, *, size: int
    ) -> None:
        super().__init__(data, port, database)
        self.name, self.size = name_of(size), size

    def subjects(self, name: str) -> list[Delegation]:
        """Return as many for each size, so that as many tokens are seen for the first time."""
        return list(islice(cycle(super().subjects(name)), ASKED))

    def plant_more(self, db: Database) -> None:
        now = SystemClock().now()
        stored = sum(map(len, self.nodes.values()))
        between = min(ASKED, ASKED * BATCH * 5 // self.size + 1)
        while stored < self.size:
            stored += grow(db, min(BATCH, (self.size - stored) // 5 + 1), now)
            if len(self.nodes["root"]) < min(ASKED, self.size // 10):
                with db.write() as tx:
                    self.plant_measured(tx, between, only="root")
        analyse(db)


def name_of(size: int) -> str:
    return f"{size:,} stored"


def main() -> None:
    settings, sizes, databases = read_settings()
    targets: list[MakeTarget] = [partial(GrownTarget, size=size) for size in sizes]
    for name in databases:
        with database_of(name) as postgres:
            print(f"on {postgres.version if postgres else 'SQLite'}\n", flush=True)
            for workers in settings.workers:
                rounds = run(targets, settings, workers, postgres)
                print(table(workers, rounds), verdicts(workers, rounds, bars(sizes)), sep="\n\n")
                print(flush=True)


def bars(sizes: Sequence[int]) -> list[Bar]:
    """The time and the CPU of one request on each larger database, of one on the smallest."""
    least = name_of(sizes[0])
    return [
        bar
        for operation in OPERATIONS
        for size in map(name_of, sizes[1:])
        for bar in (
            # Throughputs, so that the smaller database's stands above.
            Bar(
                f"{operation}, time with {size}, of {least}",
                Reading(least, operation),
                Reading(size, operation),
                MOST,
                is_ceiling=True,
            ),
            Bar(
                f"{operation}, CPU with {size}, of {least}",
                Reading(size, operation, "all_cpu"),
                Reading(least, operation, "all_cpu"),
                MOST,
                is_ceiling=True,
            ),
        )
    ]


def read_settings() -> tuple[Settings, list[int], list[str]]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--databases", choices=DATABASES, nargs="+", default=DATABASES)
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    settings = Settings(tuple(given.workers), given.rounds, given.seconds, connections=16)
    return settings, list(given.sizes), list(given.databases)


if __name__ == "__main__":
    main()
