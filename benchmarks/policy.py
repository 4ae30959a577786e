"""`python -m benchmarks.policy`: what it costs that a policy is asked at each decision.

`deputize serve` as it is, and the same with Cedar policies in its process, side by side in one
run; ratios are taken within a round.
"""

import argparse
from pathlib import Path
from statistics import median

from .deputize_target import CALENDAR, DeputizeTarget
from .postgres import Postgres
from .rounds import Round, Settings, run
from .target import Operation

#: What throughput with a policy is to be, beside that without.
LEAST = 0.9

#: Policies as an organisation may have them: each is looked at, and none forbids what is measured.
POLICIES = f"""
@id("default") permit (principal, action, resource);

@id("nobody-registered-itself")
forbid (principal, action, resource == Resource::"{CALENDAR}")
when {{ principal.origin == "self" }};

@id("no-payments-at-night")
forbid (principal, action, resource == Resource::"https://pay.example")
when {{ context.time.hour < 7 }};

@id("short-chains") forbid (principal, action, resource) when {{ context.depth > 4 }};

@id("not-through-mallory") forbid (principal, action, resource)
when {{ context.chain.contains("mallory") }};

@id("somebody-answers") forbid (principal, action, resource) unless {{ principal has owner }};

@id("old-tasks") forbid (principal, action == Action::"issue", resource)
when {{ context has task && context.task.age > 2592000 }};

@id("ask-for-new-agents") @outcome("step_up")
forbid (principal, action == Action::"issue", resource)
when {{ context.signals.new_agent && context.signals.handed_over && context.depth > 4 }};
"""


class WithoutPolicy(DeputizeTarget):
    name = "without"
    operations = frozenset({Operation.EXCHANGE, Operation.EXCHANGE_4_DEEP, Operation.INTROSPECTION})


class WithPolicy(WithoutPolicy):
    name = "with"

    def __init__(self, data: Path, port: int, database: Postgres | None = None) -> None:
        super().__init__(data, port, database)
        self.policies = data / "policies"
        self.policies.mkdir()
        (self.policies / "bench.cedar").write_text(POLICIES)

    def environment(self) -> dict[str, str]:
        return {
            "DEPUTIZE__POLICY__ENGINE": "cedar",
            "DEPUTIZE__POLICY__DIRECTORY": str(self.policies),
        }


def main() -> None:
    given = read_settings()
    settings = Settings((1,), given.rounds, given.seconds, connections=16)
    rounds = run((WithoutPolicy, WithPolicy), settings, workers=1)
    print(f"{'':<44}{'without':>10}{'with':>10}{'ratio':>8}   spread")
    for operation in sorted(WithPolicy.operations):
        least = None if operation is Operation.INTROSPECTION else LEAST
        show(f"{operation}, requests/s", [throughputs(one, operation) for one in rounds], least)
        show(f"{operation}, CPU ms", [cpus(one, operation) for one in rounds], None)


def throughputs(one: Round, operation: Operation) -> tuple[float, float]:
    return (
        one[WithoutPolicy.name, operation].throughput,
        one[WithPolicy.name, operation].throughput,
    )


def cpus(one: Round, operation: Operation) -> tuple[float, float]:
    return one[WithoutPolicy.name, operation].cpu, one[WithPolicy.name, operation].cpu


def show(what: str, pairs: list[tuple[float, float]], least: float | None) -> None:
    """Print medians and the ratio of each round; `least` is what that is to be."""
    ratios = sorted(with_it / without for without, with_it in pairs)
    without, with_it = (median(values) for values in zip(*pairs, strict=True))
    ratio = median(ratios)
    word = "" if least is None else "reached" if ratio >= least else "NOT REACHED"
    bar = "" if least is None else f", at least {least}"
    print(
        f"{word:<14}{what:<30}{without:>10.2f}{with_it:>10.2f}{ratio:>8.3f}"
        f"   {ratios[0]:.3f} to {ratios[-1]:.3f}{bar}"
    )


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
