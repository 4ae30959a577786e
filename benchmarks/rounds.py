"""Interleaved rounds: every server is up at once, and each operation visits them in turn.

What disturbs the machine for a while disturbs all alike, and ratios are taken within a
round before their median is.
"""

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .measure import Measure, measure
from .postgres import Postgres
from .serving import NotServingError, Server, free_port, serving
from .target import Operation, Target

RESULTS = Path(__file__).parent / "results"

MakeTarget = Callable[[Path, int, Postgres | None], Target]
Round = dict[tuple[str, Operation], Measure]


@dataclass(frozen=True)
class Settings:
    """`seconds` is the length of one measure; there is one per operation, server and round."""

    workers: tuple[int, ...]
    rounds: int
    seconds: float
    connections: int


@dataclass(frozen=True)
class Contender:
    target: Target
    server: Server


def run(
    targets: Sequence[MakeTarget],
    settings: Settings,
    workers: int,
    database: Postgres | None = None,
) -> list[Round]:
    """Start every server that can be started, measure them, stop them."""
    RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        # Beside the results, so that a commit reaches a disk and not a RAM file system.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=RESULTS)))
        contenders = list(start(targets, workers, folder, stack, database))
        return [one_round(settings, contenders, number) for number in range(settings.rounds)]


def start(
    targets: Sequence[MakeTarget],
    workers: int,
    folder: Path,
    stack: ExitStack,
    database: Postgres | None,
) -> Iterator[Contender]:
    for number, make_target in enumerate(targets):
        data, port = folder / str(number), free_port()
        data.mkdir()
        target = make_target(data, port, database)
        try:
            target.set_up()
            server = stack.enter_context(serving(target, port, workers, data / "server.log"))
        except (NotServingError, subprocess.CalledProcessError) as error:
            print(f"{target.name} is not measured, it does not serve: {error}", flush=True)
        else:
            yield Contender(target, server)


def one_round(settings: Settings, contenders: list[Contender], number: int) -> Round:
    """Each operation on each server, one straight after the other; another goes first each time."""
    turn = number % max(1, len(contenders))
    order = contenders[turn:] + contenders[:turn]
    return {
        (each.target.name, operation): measure(
            each.server,
            each.target,
            operation,
            connections=settings.connections,
            seconds=settings.seconds,
        )
        for operation in Operation
        for each in order
        if operation in each.target.operations
    }
