"""`python -m benchmarks.ending`: how long it takes to end a large tree, and whether it is ended.

The agent at its root revokes its token at `deputize serve` over HTTP, which ends all below
in one transaction; the answer to that is what is timed. The first introspections after
it, of tokens everywhere in the tree, must say that they are inactive, and one of a tree
beside it that it is active.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median

from deputize.agents.lifecycle import Status
from deputize.agents.models import TOKEN_EXCHANGE, Agent, agent, agent_to_row
from deputize.core.clock import SystemClock
from deputize.core.db import Database
from deputize.core.secrets import new_id
from deputize.delegation.keys import KeySet
from deputize.delegation.node import Delegation

from .__main__ import DATABASES, database_of
from .bulk import analyse, load
from .deputize_target import CALENDAR, DeputizeTarget
from .forest import grow
from .load import drive
from .planted import Planter
from .postgres import Postgres
from .rounds import RESULTS
from .serving import free_port, serving
from .target import AGENT, AGENT_SECRET, HOST, post

NODES, MOST_SECONDS = 10_000, 1.0
BESIDE = 20_000
SAMPLE = 25


@dataclass
class Grown:
    """One tree, with the agents that were spawned in it."""

    nodes: list[Delegation]
    spawned: list[Agent]


def as_it_grows(planter: Planter) -> Grown:
    """Each holder sends two tokens to the API and hands over to three agents, eight deep."""
    nodes, holders = planter.chain([AGENT]), [0]
    for place in holders:
        holder = nodes[place]
        nodes += [planter.at_api(replace(holder, max_depth=depth)) for depth in (14, 15)]
        for number in range(3):
            nodes += planter.handed(holder, f"taker-{holder.depth}-{number}")
            holders.append(len(nodes) - 1)
        if len(nodes) >= NODES:
            break
    return Grown(nodes, [])


def in_deep_chains(planter: Planter) -> Grown:
    """Chains of sixteen agents, the most that the settings allow."""
    nodes = planter.chain([AGENT])
    while len(nodes) < NODES:
        last = nodes[0]
        for depth in range(2, 17):
            nodes += planter.handed(last, f"taker-{depth}-{len(nodes)}")
            last = nodes[-1]
        nodes.append(planter.at_api(last))
    return Grown(nodes, [])


def in_leaves(planter: Planter) -> Grown:
    """All below one parent."""
    (root,) = planter.chain([AGENT])
    shorter = (replace(root, expires_at=root.expires_at - n) for n in range(NODES - 1))
    return Grown([root, *map(planter.at_api, shorter)], [])


def with_spawned(planter: Planter) -> Grown:
    """Two thousand spawned agents, each with its hold and what it sends to the API."""
    nodes, spawned = planter.chain([AGENT]), []
    for _ in range(NODES // 5):
        child = spawn(nodes[0], planter.now)
        spawned.append(child)
        nodes += planter.handed(nodes[0], child.client_id)
        nodes += [planter.at_api(replace(nodes[-1], max_depth=depth)) for depth in (13, 14, 15)]
    return Grown(nodes, spawned)


SHAPES: tuple[Callable[[Planter], Grown], ...] = (
    as_it_grows,
    in_deep_chains,
    in_leaves,
    with_spawned,
)


def spawn(parent: Delegation, now: int) -> Agent:
    return Agent(
        client_id=f"{AGENT}.{new_id()}",
        name="A helper",
        purpose="Helps",
        origin="spawned",
        created_at=now,
        expires_at=parent.expires_at,
        token_endpoint_auth_method="private_key_jwt",
        status=Status.ACTIVE,
        scope=parent.scope,
        resources=parent.resources,
        grant_types=frozenset({TOKEN_EXCHANGE}),
        parent=AGENT,
        parent_delegation_id=parent.id,
        task_id=parent.task_id,
    )


class EndingTarget(DeputizeTarget):
    """Deputize with some trees of each shape, and a forest beside them."""

    chains = {"root": (AGENT,)}  # noqa: RUF012 - not changed
    trees = 1

    def __init__(
        self, data: Path, port: int, database: Postgres | None = None, *, trees: int
    ) -> None:
        super().__init__(data, port, database)
        self.trees = trees
        self.grown: dict[str, list[Grown]] = {}

    def plant_more(self, db: Database) -> None:
        grow(db, BESIDE // 5, SystemClock().now())
        for shape in SHAPES:
            made = [shape(self.planter) for _ in range(self.trees)]
            self.grown[shape.__name__] = made
            with db.write() as tx:
                for tree in made:
                    self.planter.store(tx, tree.nodes)
                    load(tx, agent, map(agent_to_row, tree.spawned))
        analyse(db)

    @cached_property
    def keys(self) -> KeySet:
        return self._keys()

    def tokens(self, nodes: list[Delegation]) -> list[str]:
        return [self._token(self.keys, node) for node in nodes]


def main() -> None:
    given = read_settings()
    for name in given.databases:
        with database_of(name) as postgres:
            print(f"on {postgres.version if postgres else 'SQLite'}", flush=True)
            measure(postgres, given.trees)


def measure(database: Postgres | None, trees: int) -> None:
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        port = free_port()
        target = EndingTarget(Path(folder), port, database, trees=trees)
        target.set_up()
        with serving(target, port, 1, Path(folder) / "server.log"):
            # In turns, so that what disturbs the machine disturbs all shapes alike.
            took: dict[str, list[float]] = {name: [] for name in target.grown}
            for turn in range(trees):
                for name, made in target.grown.items():
                    took[name].append(end(target, made[turn]))
        for name, seconds in took.items():
            print(line(name, target.grown[name][0], seconds), flush=True)


def line(name: str, tree: Grown, seconds: list[float]) -> str:
    word = "reached" if max(seconds) < MOST_SECONDS else "NOT REACHED"
    size = f"{len(tree.nodes):,} nodes, {len(tree.spawned):,} spawned agents"
    return (
        f"{word:<14}{name.replace('_', ' ')}, {size}: {median(seconds):.2f} s "
        f"({min(seconds):.2f} to {max(seconds):.2f}), under {MOST_SECONDS:.0f} s"
    )


def end(target: EndingTarget, tree: Grown) -> float:
    """End the tree; return the seconds until the answer came.

    Raises:
        AssertionError: when a token of it is still good, or one beside it is not.
    """
    at_api = [node for node in tree.nodes if node.target == CALENDAR]
    sample = target.tokens(at_api[:: max(1, len(at_api) // SAMPLE)])
    (beside,) = target.tokens(target.nodes["at the API"][:1])
    (root,) = target.tokens(tree.nodes[:1])
    assert are_active(target, [*sample, beside]) == [True] * (len(sample) + 1)
    revocation = post("/oauth/revoke", {"token": root}, AGENT, AGENT_SECRET)
    took, _ = ask(target, [revocation])
    assert are_active(target, [*sample, beside]) == [False] * len(sample) + [True]
    return took


def are_active(target: EndingTarget, tokens: list[str]) -> list[bool]:
    _, answers = ask(target, [target.introspection(token) for token in tokens])
    return [bool(json.loads(answer)["active"]) for answer in answers]


def ask(target: EndingTarget, requests: list[bytes]) -> tuple[float, list[bytes]]:
    """Ask one after the other; return the seconds until the first answer came, and all bodies."""
    bodies: list[bytes] = []

    def keep(status: int, body: bytes) -> None:
        assert status == 200, body
        bodies.append(body)

    load = drive((HOST, target.port), iter(requests), keep, connections=1, seconds=60)
    return load.latencies[0], bodies


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ending")
    parser.add_argument("--databases", choices=DATABASES, nargs="+", default=DATABASES)
    parser.add_argument("--trees", type=int, default=7, help="that are ended of each shape")
    return parser.parse_args()


if __name__ == "__main__":
    main()
