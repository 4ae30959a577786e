"""`python -m benchmarks.sealing`: what sealing the audit trail costs, and whether it keeps up.

Two servers as `deputize serve` runs them, one that seals and one that does not, driven in turns;
then what the second has left is sealed and verified, in this process alone.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, select

from deputize.audit.models import event
from deputize.audit.record import Event, record_all
from deputize.audit.verify import verify
from deputize_idp.with_agents import create_app_with_agents

from .__main__ import DATABASES, database_of
from .bulk import analyse
from .deputize_target import DeputizeTarget
from .measure import Measure, measure
from .postgres import Postgres
from .rounds import RESULTS
from .serving import Server, free_port, serving
from .target import AGENT, Operation

#: What is to be reached: of the exchange rate; events a second; seconds that anything waits.
KEEPS_UP, VERIFIED, WAITS = 2.0, 50_000, 3
#: Of the throughput, the CPU and the p99 without sealing.
LEFT, COSTS, SLOWER = 0.95, 1.10, 1.25
MORE_EVENTS = 100_000


class SealingTarget(DeputizeTarget):
    """`deputize serve` whose workers seal, or do not."""

    chains = {"root": (AGENT,)}  # noqa: RUF012 - not changed
    in_workers = "true"

    def environment(self) -> dict[str, str]:
        return {"DEPUTIZE__AUDIT__IN_WORKERS": self.in_workers}

    def agents(self) -> Any:
        return create_app_with_agents(self._configuration()).extensions["deputize"]


class UnsealedTarget(SealingTarget):
    in_workers = "false"


@dataclass
class Measured:
    """What one run has measured: in turns, with and without sealing."""

    sealing: list[Measure] = field(default_factory=list)
    without: list[Measure] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)


def main() -> None:
    given = read_settings()
    for name in given.databases:
        with database_of(name) as postgres:
            print(f"on {postgres.version if postgres else 'SQLite'}", flush=True)
            run(postgres, given)


def run(database: Postgres | None, given: argparse.Namespace) -> None:
    RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=RESULTS)))
        targets = [
            start(kind, folder / kind.__name__, database, given.workers, stack)
            for kind in (SealingTarget, UnsealedTarget)
        ]
        measured = Measured()
        for number in range(given.rounds):
            one_round(targets, measured, number, given.seconds)
        rate = median(each.throughput for each in measured.without)
        print("\n".join(compared(measured)), flush=True)
        print("\n".join(alone(targets[1][0], rate)), flush=True)


def start(
    kind: type[SealingTarget],
    data: Path,
    database: Postgres | None,
    workers: int,
    stack: ExitStack,
) -> tuple[SealingTarget, Server]:
    data.mkdir()
    port = free_port()
    target = kind(data, port, database)
    target.set_up()
    return target, stack.enter_context(serving(target, port, workers, data / "server.log"))


def one_round(
    targets: Sequence[tuple[SealingTarget, Server]], measured: Measured, number: int, seconds: float
) -> None:
    """Drive each for a while, one straight after the other; the other goes first each time."""
    for target, server in targets if number % 2 else targets[::-1]:
        of_it = measure(server, target, Operation.EXCHANGE, connections=16, seconds=seconds)
        if isinstance(target, UnsealedTarget):
            measured.without.append(of_it)
        else:
            measured.sealing.append(of_it)
            measured.waited.append(seconds_waited(target))


def seconds_waited(target: SealingTarget) -> int:
    """Return for how long the oldest event has waited that is not sealed."""
    db = target.agents().context.db
    with db.read() as tx:
        oldest = select(func.min(event.c.at)).where(event.c.position.is_(None))
        since = tx.execute(oldest).scalar()
        waited = 0 if since is None else tx.now - since
    db.close()
    return int(waited)


def compared(measured: Measured) -> list[str]:
    """Return what sealing costs whoever exchanges, by rounds."""
    pairs = list(zip(measured.sealing, measured.without, strict=True))
    throughput = [sealing.throughput / without.throughput for sealing, without in pairs]
    cpu = [sealing.all_cpu / without.all_cpu for sealing, without in pairs]
    slower = [sealing.p99 / without.p99 for sealing, without in pairs]
    waited = max(measured.waited)
    figures = (
        f"{median(m.throughput for m in measured.sealing):.0f} exchanges/s, p99 "
        f"{median(m.p99 for m in measured.sealing):.0f} ms; without sealing "
        f"{median(m.throughput for m in measured.without):.0f}/s, "
        f"{median(m.p99 for m in measured.without):.0f} ms"
    )
    return [
        figures,
        verdict("exchanges, of those without sealing", throughput, LEFT, is_ceiling=False),
        verdict("CPU of an exchange, of that without sealing", cpu, COSTS, is_ceiling=True),
        verdict("their p99, of that without sealing", slower, SLOWER, is_ceiling=True),
        verdict("seconds that the oldest event waits", [waited], WAITS, is_ceiling=True),
    ]


def alone(target: SealingTarget, rate: float) -> list[str]:
    """Seal what no worker has, and as many again as are needed; then verify it all."""
    agents = target.agents()
    db = agents.context.db
    waiting = record_more(db)
    began = time.perf_counter()
    sealed = agents.sealer.seal()
    sealing = sealed / (time.perf_counter() - began)
    assert sealed == waiting
    analyse(db)
    began, cpu = time.perf_counter(), time.process_time()
    told = verify(db, [], late_after=86_400)
    verified = told.events / (time.perf_counter() - began)
    by_cpu = told.events / (time.process_time() - cpu)
    assert told.is_intact, told.findings[:3]
    assert told.events >= sealed
    db.close()
    rates = f"{verified:,.0f} events/s verified ({by_cpu:,.0f} a CPU second)"
    return [
        f"{sealing:,.0f} events/s sealed, {rates}, of {told.events:,}",
        verdict("sealing, of the exchange rate", [sealing / rate], KEEPS_UP, is_ceiling=False),
        verdict("events verified a second", [verified], VERIFIED, is_ceiling=False),
    ]


def record_more(db: Any) -> int:
    """Record events like those of exchanges; return how many wait."""
    facts = {"jti": "j" * 22, "scope": ["calendar:read"], "expires_at": 1}
    one = Event(
        "delegation.issued", "p" * 16, AGENT, "t" * 16, "d" * 16, chain=(AGENT,), facts=facts
    )
    for _ in range(MORE_EVENTS // 1000):
        with db.write() as tx:
            record_all(tx, [one] * 1000)
    with db.read() as tx:
        waits = select(func.count()).where(event.c.position.is_(None))
        return int(tx.execute(waits).scalar_one())


def verdict(text: str, ratios: list[Any], bound: float, *, is_ceiling: bool) -> str:
    middle = median(ratios)
    word = "reached" if (middle <= bound if is_ceiling else middle >= bound) else "NOT REACHED"
    wanted = f"{'at most' if is_ceiling else 'at least'} {bound:,}"
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    return f"{word:<14}{text}: {middle:,.2f}{spread}, {wanted}"


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sealing")
    parser.add_argument("--databases", choices=DATABASES, nargs="+", default=DATABASES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="the length of one measure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
