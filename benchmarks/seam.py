"""`python -m benchmarks.seam`: what the plugin costs a host's own clients and pages.

Each host as it was and with Deputize added, asked the same in turn: first in this process,
where what is measured is the app's own CPU, then over HTTP, where throughput is. All
ratios are of two measures that were made one straight after the other.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

from .hosts import KINDS, HostTarget
from .load import drive
from .measure import WrongAnswerError
from .rounds import RESULTS
from .serving import Server, free_port, serving
from .where_time_goes import call, environ_of

#: What the plugin may add to a request that is not its own.
MOST = 1.03
CALLS, WARM_UP = 200, 50
CONNECTIONS = 16

#: A measure of one target doing one thing; and of each host and operation, without and with.
Ask = Callable[[int, str], float]
Ratios = dict[tuple[str, str], list[tuple[float, float]]]


def main() -> None:
    given = read_settings()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        targets = make_targets(Path(folder) / "in process")
        in_process = rounds(targets, in_this_process(targets), given.calls_rounds)
        show("CPU in this process, µs a request", in_process)
        targets = make_targets(Path(folder) / "over HTTP")
        with ExitStack() as stack:
            servers = [start(target, stack) for target in targets]
            over_http = over_the_wire(targets, servers, given.seconds)
            show("time over HTTP, µs a request", rounds(targets, over_http, given.rounds))


def make_targets(folder: Path) -> list[HostTarget]:
    """Return each host without the plugin, and after it the same with it."""
    return [
        HostTarget(kind, with_agents, folder / f"{name}-{with_agents}", free_port())
        for name, kind in KINDS.items()
        for with_agents in (False, True)
    ]


def rounds(targets: list[HostTarget], ask: Ask, number: int) -> Ratios:
    """Measure each host without and with the plugin, one straight after the other, in turns."""
    measured: Ratios = {}
    for turn in range(number):
        for first in range(0, len(targets), 2):
            for operation in targets[first].requests():
                pair = (first, first + 1) if turn % 2 else (first + 1, first)
                found = {index: ask(index, operation) for index in pair}
                key = (targets[first].kind.name, operation)
                measured.setdefault(key, []).append((found[first], found[first + 1]))
    return measured


def in_this_process(targets: list[HostTarget]) -> Ask:
    """Return what measures CPU seconds a request, without a server around the app."""
    apps: list[Any] = [target.make() for target in targets]

    def ask(index: int, operation: str) -> float:
        environ = [environ_of(targets[index].requests()[operation])]
        call(apps[index], environ, WARM_UP)
        gc.collect()
        gc.disable()
        began = time.process_time()
        call(apps[index], environ, CALLS)
        took = time.process_time() - began
        gc.enable()
        return took / CALLS

    return ask


def over_the_wire(targets: list[HostTarget], servers: list[Server], seconds: float) -> Ask:
    """Return what measures seconds a request, of all connections together."""

    def ask(index: int, operation: str) -> float:
        target = targets[index]

        def require_ok(status: int, body: bytes) -> None:
            if status != 200:
                log = (target.data / "server.log").read_text(errors="replace")
                raise WrongAnswerError(f"{target.kind.name}, {operation}: {body!r}\n{log[-2000:]}")

        load = drive(
            servers[index].address,
            repeat(target.requests()[operation]),
            require_ok,
            connections=CONNECTIONS,
            seconds=seconds,
        )
        return 1 / load.throughput

    return ask


def start(target: HostTarget, stack: ExitStack) -> Server:
    return stack.enter_context(serving(target, target.port, 1, target.data / "server.log"))


def show(title: str, measured: Ratios) -> None:
    print(f"{title:<46}{'without':>10}{'with':>10}{'ratio':>8}   middle half of the ratios")
    for (host, operation), pairs in measured.items():
        ratios = sorted(after / before for before, after in pairs)
        quarter = len(ratios) // 4
        without, with_it = (median(values) * 1e6 for values in zip(*pairs, strict=True))
        ratio = median(ratios)
        word = "reached" if ratio <= MOST else "NOT REACHED"
        print(
            f"{word:<14}{host:<14}{operation:<18}{without:>10.0f}{with_it:>10.0f}{ratio:>8.3f}"
            f"   {ratios[quarter]:.3f} to {ratios[-quarter - 1]:.3f}, at most {MOST}"
        )
    print(flush=True)


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seam")
    parser.add_argument("--calls-rounds", type=int, default=41, help="of calls in this process")
    parser.add_argument("--rounds", type=int, default=15, help="over HTTP")
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measure over HTTP")
    return parser.parse_args()


if __name__ == "__main__":
    main()
