"""V1, V2, V9, V13, V14, V20: a worker that is killed in the middle leaves nothing half done.

It is killed (SIGKILL) after so many answers, with others under way: issuing, handing over,
spawning, ending a delegation or a task. What it had answered holds; what it had not either
happened whole, or not at all.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from subprocess import Popen
from threading import Lock
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, select

from deputize.agents.lifecycle import Status
from deputize.agents.models import agent
from deputize.audit.verify import verify
from deputize.delegation.models import delegation
from deputize.tasks.lifecycle import RUNNING
from deputize.tasks.models import task
from support.agents_http import Agent, decode, http, new_key, outcome
from support.running import bearer
from support.world import CALENDAR, World, killable_worker

TREES = 8


@dataclass
class Doomed:
    """What agents see of a worker that is killed once it has given so many answers."""

    process: Popen[str]
    metadata: dict[str, Any]
    registration: str
    answers_left: int
    returned: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def grow_and_end(self, planner: Agent, booker: Agent, hold: str) -> None:
        """Grow a tree below `hold`, then end it, for as long as anybody answers."""
        try:
            self._token(planner, hold, resource=CALENDAR, scope="calendar:read")
            handed = self._token(planner, hold, audience="booker", scope="calendar:read")
            taken = self._token(booker, handed)
            self._token(booker, taken, resource=CALENDAR)
            self._token(planner, hold, resource=CALENDAR)
            self._spawn(planner, hold)
            if len(self.ended) % 2:
                assert planner.revoke(hold).status_code == 200
            else:
                url = f"{planner.metadata['tasks_endpoint']}/{decode(hold)[1]['task_id']}"
                said = {"action": "propose", "outcome": "completed"}
                assert http.post(url, json=said, headers=bearer(hold)).status_code == 200
            self.ended.append(hold)
            self._answered()
        except httpx.TransportError:
            assert self.answers_left <= 0, "it died before it was killed"

    def _token(self, agent: Agent, subject: str, /, **params: str) -> str:
        assertion = agent.client_assertion()
        answer = agent.exchange(subject, client_assertion=assertion, **params)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        self.returned.append(token)
        self.spent.append(assertion)
        self._answered()
        return token

    def _spawn(self, planner: Agent, hold: str) -> None:
        key = new_key()
        asked = planner.ask_to_spawn(hold, "calendar:read", key, resource=self.registration)
        assert asked.status_code == 200, asked.text
        self._answered()
        born = planner.register_child(asked.json()["access_token"], key)
        assert born.status_code == 201, born.text
        self._answered()

    def _answered(self) -> None:
        with self._lock:
            self.answers_left -= 1
            if self.answers_left == 0:
                self.process.kill()


@pytest.fixture(params=[1, 6, 13, 22, 31, 40, 52])
def killed(world: World, request: pytest.FixtureRequest) -> Iterator[Doomed]:
    """A worker that was killed under load after so many answers."""
    holds = [world.hold() for _ in range(TREES)]
    with killable_worker(world) as (process, metadata):
        doomed = Doomed(process, metadata, world.metadata["registration_endpoint"], request.param)
        agents = [replace(world.agent(name), metadata=metadata) for name in ("planner", "booker")]
        with ThreadPoolExecutor(TREES) as pool:
            running = [pool.submit(doomed.grow_and_end, *agents, hold) for hold in holds]
        for one in running:
            one.result()
        process.wait(timeout=10)
    return doomed


def test_what_a_killed_worker_leaves_is_whole(world: World, killed: Doomed) -> None:
    assert killed.returned
    each_token_that_was_returned_has_one_event(world, killed)
    no_node_is_without_its_event(world)
    no_tree_is_half_ended(world)
    no_task_is_half_ended(world)
    what_was_promised_holds(world, killed)
    the_trail_is_what_was_sealed(world)


def each_token_that_was_returned_has_one_event(world: World, killed: Doomed) -> None:
    told = Counter(e["facts"]["jti"] for e in world.events("delegation.issued"))
    assert {told[decode(token)[1]["jti"]] for token in killed.returned} == {1}


def no_node_is_without_its_event(world: World) -> None:
    told = {e["delegation_id"] for e in world.events()}
    # A root has the consent's; what lies between has that of the token it was made for.
    assert {node["id"] for node in nodes(world)} <= told


def no_tree_is_half_ended(world: World) -> None:
    kept = {node["id"]: node for node in nodes(world)}
    children = [node for node in kept.values() if node["parent_id"] is not None]
    for child in children:
        above = kept[child["parent_id"]]
        assert child["ended_at"] is not None or above["ended_at"] is None
    ended = {e["delegation_id"] for e in world.events("delegation.ended")}
    roots = {n["root_id"] for n in kept.values() if n["ended_at"] is not None}
    assert roots <= ended


def no_task_is_half_ended(world: World) -> None:
    """Its status, its root, its helpers and its event say the same."""
    kept = {node["id"]: node for node in nodes(world)}
    roots = {node["task_id"]: node for node in kept.values() if node["parent_id"] is None}
    told = Counter(e["task_id"] for e in world.events("task.ended"))
    for of in rows(world, task):
        is_over = of["status"] not in RUNNING
        assert is_over == (of["ended_at"] is not None) == (told[of["id"]] == 1)
        assert is_over == (roots[of["id"]]["ended_at"] is not None)
    for helper in rows(world, agent):
        above = kept.get(helper["parent_delegation_id"] or "")
        if above is not None:
            assert (helper["status"] == Status.RETIRED) == (above["ended_at"] is not None)


def what_was_promised_holds(world: World, killed: Doomed) -> None:
    over = {decode(hold)[1]["task_id"] for hold in killed.ended}
    for token in killed.returned:
        claims = decode(token)[1]
        asker = world.api() if claims["aud"] == CALENDAR else world.agent(claims["client_id"])
        is_active = asker.introspect(token).json()["active"]
        assert not (is_active and claims["task_id"] in over)
    planner, hold = world.agent("planner"), world.hold()
    for assertion in killed.spent:
        by_planner = replace(planner, client_id=decode(assertion)[1]["sub"])
        replayed = by_planner.exchange(hold, resource=CALENDAR, client_assertion=assertion)
        assert outcome(replayed) == (401, "invalid_client")
    # Its locks went with it.
    assert planner.exchange(hold, resource=CALENDAR).status_code == 200


def the_trail_is_what_was_sealed(world: World) -> None:
    verdict = verify(world.context.db, [], late_after=60)
    assert verdict.is_intact, verdict.findings


def nodes(world: World) -> list[dict[str, Any]]:
    return rows(world, delegation)


def rows(world: World, table: Table) -> list[dict[str, Any]]:
    with world.context.db.read() as tx:
        return [dict(row) for row in tx.execute(select(table)).mappings()]
