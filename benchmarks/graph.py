"""`python -m benchmarks.graph`: how long the delegation graph takes to come, with a thousand nodes.

The security team looks, at `deputize serve` over HTTP, one page at a time: at a
thousand nodes of one person's, drawn, as a table, and with one looked at on which its
task hangs; and at the whole, of which the newest is drawn. A hundred thousand delegations of
others are stored beside it. Each page must hold as many nodes as it says.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from subprocess import run

import httpx

from deputize.core.clock import SystemClock
from deputize.core.db import Database
from deputize.delegation.node import Delegation

from .__main__ import DATABASES, database_of
from .approving import sign_in
from .bulk import analyse
from .deputize_target import COMMAND, DeputizeTarget
from .forest import grow
from .planted import Planter, store_person
from .postgres import Postgres
from .rounds import RESULTS
from .serving import free_port, serving
from .target import AGENT

GRAPH = "/deputize/graph"
MOST_MS = 300
#: With the person, a thousand nodes: as many as are drawn one by one.
TASKS, AGENTS = 37, 27
BESIDE, BATCH = 100_000, 2_000
SECURITY = """
[[people]]
username = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
password = "correct horse battery"
roles = ["security"]
"""


class GraphTarget(DeputizeTarget):
    """Deputize with one person's thousand agents, and others' delegations beside them."""

    chains = {"root": (AGENT,)}  # noqa: RUF012 - not changed

    def __init__(
        self, data: Path, port: int, database: Postgres | None = None, *, beside: int
    ) -> None:
        super().__init__(data, port, database)
        self.beside = beside
        self.roots: list[Delegation] = []

    def set_up(self) -> None:
        super().set_up()
        file = self.data / "security.toml"
        file.write_text(SECURITY)
        options = ["--data", str(self.data), *self._database_option()]
        run([COMMAND, "apply", str(file), *options], check=True, timeout=60)

    def plant_more(self, db: Database) -> None:
        now, stored = SystemClock().now(), 0
        while stored < self.beside:
            stored += grow(db, min(BATCH, (self.beside - stored) // 5 + 1), now)
        with db.write() as tx:
            self.person_id = store_person(tx, "p-looked-at")
            planter = Planter(
                self.issuer, self.planter.api, self.planter.scope, self.person_id, now
            )
            for _ in range(TASKS):
                nodes = self._tree(planter)
                self.roots.append(nodes[0])
                planter.store(tx, nodes)
        analyse(db)

    def _tree(self, planter: Planter) -> list[Delegation]:
        """Each agent sends something to the API and hands over to three more."""
        nodes, holders = planter.chain([AGENT]), [0]
        for place in holders:
            nodes.append(planter.at_api(nodes[place]))
            for number in range(min(3, AGENTS - len(holders))):
                nodes += planter.handed(nodes[place], f"taker-{nodes[place].depth}-{number}")
                holders.append(len(nodes) - 1)
        return nodes


def main() -> None:
    given = read_settings()
    for name in given.databases:
        with database_of(name) as postgres:
            print(f"on {postgres.version if postgres else 'SQLite'}", flush=True)
            measure(postgres, given.looks, given.beside)


def measure(database: Postgres | None, looks: int, beside: int) -> None:
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        port = free_port()
        target = GraphTarget(Path(folder), port, database, beside=beside)
        target.set_up()
        with serving(target, port, 1, Path(folder) / "server.log"):
            headers = {"Cookie": sign_in(target)}
            with httpx.Client(base_url=target.issuer, headers=headers, trust_env=False) as browser:
                look_at_each(target, browser, looks)


def look_at_each(target: GraphTarget, browser: httpx.Client, looks: int) -> None:
    theirs = {"person": target.person_id}
    pages = {
        "drawn": theirs,
        "as a table": theirs | {"view": "table"},
        "with one looked at": theirs | {"node": target.roots[0].id},
        "the newest of all": {},
    }
    for name, asked in pages.items():
        print(line(name, *took(browser, asked, looks)), flush=True)


def took(browser: httpx.Client, asked: dict[str, str], looks: int) -> tuple[list[float], int]:
    """Return the milliseconds of each look, and how many nodes there are.

    Raises:
        AssertionError: when the page does not hold them.
    """
    times: list[float] = []
    for _ in range(looks):
        began = time.perf_counter()
        page = browser.get(GRAPH, params=asked)
        times.append(1000 * (time.perf_counter() - began))
        assert page.status_code == 200, page.text
    nodes = page.text.count('id="n-')
    assert nodes >= (TASKS * AGENTS if "person" in asked else 1), nodes
    return times, nodes


def line(name: str, times: list[float], nodes: int) -> str:
    word = "reached" if median(times) < MOST_MS else "NOT REACHED"
    return (
        f"{word:<14}{name}, {nodes:,} nodes: {median(times):.0f} ms"
        f" ({min(times):.0f} to {max(times):.0f}), under {MOST_MS} ms"
    )


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graph", description=__doc__)
    parser.add_argument("--databases", choices=DATABASES, nargs="+", default=DATABASES)
    parser.add_argument("--looks", type=int, default=15, help="at each page")
    parser.add_argument("--beside", type=int, default=BESIDE, help="delegations of others")
    return parser.parse_args()


if __name__ == "__main__":
    main()
