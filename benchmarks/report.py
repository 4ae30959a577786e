"""From rounds to medians, and from medians to bars that are reached or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .rounds import Round
from .target import Operation

FLOOR, PEER, OURS = "floor", "authlib docs", "deputize"
COLUMNS = ("throughput", "p50", "p99", "cpu", "database", "generator")
HEADINGS = ("req/s", "p50 ms", "p99 ms", "CPU ms", "its DB ms", "generator")


@dataclass(frozen=True)
class Reading:
    target: str
    operation: Operation
    column: str = "throughput"

    def find(self, measures: Round) -> float | None:
        measure = measures.get((self.target, self.operation))
        return None if measure is None else float(getattr(measure, self.column))


@dataclass(frozen=True)
class Bar:
    """A ratio of two readings of the same round, and what it must be."""

    text: str
    above: Reading
    below: Reading
    bound: float
    is_ceiling: bool = False
    workers: tuple[int, ...] = (1, 2)

    def ratios(self, rounds: Sequence[Round]) -> list[float]:
        pairs = [(self.above.find(each), self.below.find(each)) for each in rounds]
        return [above / below for above, below in pairs if above is not None and below]

    def is_reached(self, ratio: float) -> bool:
        return ratio <= self.bound if self.is_ceiling else ratio >= self.bound


BARS = (
    Bar(
        "exchange, of its floor",
        Reading(OURS, Operation.EXCHANGE),
        Reading(FLOOR, Operation.EXCHANGE),
        0.4,
    ),
    Bar(
        "exchange, of Authlib as documented",
        Reading(OURS, Operation.EXCHANGE),
        Reading(PEER, Operation.EXCHANGE),
        2.0,
    ),
    Bar(
        "exchange by private_key_jwt, of one by secret",
        Reading(OURS, Operation.EXCHANGE_JWT),
        Reading(OURS, Operation.EXCHANGE),
        0.75,
    ),
    Bar(
        "exchange 4 deep, of one 1 deep",
        Reading(OURS, Operation.EXCHANGE_4_DEEP),
        Reading(OURS, Operation.EXCHANGE),
        0.85,
    ),
    Bar(
        "introspection, of its floor",
        Reading(OURS, Operation.INTROSPECTION),
        Reading(FLOOR, Operation.INTROSPECTION),
        0.4,
    ),
    Bar(
        "introspection, of Authlib as documented",
        Reading(OURS, Operation.INTROSPECTION),
        Reading(PEER, Operation.INTROSPECTION),
        2.0,
    ),
    *(
        Bar(
            f"p99 of p50, {operation}",
            Reading(OURS, operation, "p99"),
            Reading(OURS, operation, "p50"),
            3.0,
            is_ceiling=True,
            workers=(2,),
        )
        for operation in Operation
    ),
)


def medians(rounds: Sequence[Round]) -> dict[tuple[str, Operation], dict[str, float]]:
    """The median of each column over the rounds, by target and operation."""
    keys = dict.fromkeys(key for each in rounds for key in each)
    return {
        key: {
            column: median(getattr(each[key], column) for each in rounds if key in each)
            for column in COLUMNS
        }
        for key in sorted(keys, key=lambda key: (list(Operation).index(key[1]), key[0] == OURS))
    }


def table(workers: int, rounds: Sequence[Round]) -> str:
    """One line for each operation of each target."""
    head = f"{f'{workers} worker(s)':<27}{'server':<20}" + "".join(f"{h:>11}" for h in HEADINGS)
    return "\n".join([head, *(line(*item) for item in medians(rounds).items())])


def line(key: tuple[str, Operation], values: dict[str, float]) -> str:
    target, operation = key
    figures = "".join(f"{values[c]:>11.2f}" for c in COLUMNS[1:-1])
    share = f"{values['generator']:>10.0%} "
    return f"{operation:<27}{target:<20}{values['throughput']:>11.0f}{figures}{share}"


def verdicts(workers: int, rounds: Sequence[Round], bars: Sequence[Bar] = BARS) -> str:
    """One line for each bar: reached or not, with the median ratio and its spread."""
    return "\n".join(verdict(bar, rounds) for bar in bars if workers in bar.workers)


def verdict(bar: Bar, rounds: Sequence[Round]) -> str:
    ratios = bar.ratios(rounds)
    wanted = f"{'at most' if bar.is_ceiling else 'at least'} {bar.bound}"
    if not ratios:
        return f"not measured  {bar.text}: {wanted}"
    word = "reached" if bar.is_reached(median(ratios)) else "NOT REACHED"
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return f"{word:<14}{bar.text}: {median(ratios):.2f} ({spread}), {wanted}"
