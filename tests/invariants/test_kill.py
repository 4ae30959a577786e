"""V1, V2, V9, V13, V14, V18, V20: a worker that is killed in the middle leaves nothing half done.

It is killed (SIGKILL) after so many answers, with others under way: issuing, handing over,
spawning, ending a delegation or a task, and sealing in a thread of its own. What it had answered
holds; what it had not either happened whole, or not at all.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
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
from invariants.rows import read_rows
from support.agents_http import Agent, decode, http, new_key, outcome
from support.asking import Asking
from support.running import Running, bearer
from support.world import CALENDAR, World, killable_worker, read_form

TREES = 8
READ = "calendar:read"


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

    def end(self, end: Callable[[], httpx.Response]) -> bool:
        """Let a task end; tell whether that was answered."""
        try:
            answer = end()
        except httpx.TransportError:
            assert self.answers_left <= 0, "it died before it was killed"
            return False
        assert answer.status_code in (200, 303), answer.text
        self._answered()
        return True

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


class Grown:
    """A tree of a dozen nodes with helpers and an open question, about to end."""

    def __init__(self, world: World, completion: str) -> None:
        self.running = Running(world, task_completion=completion)
        agent, hold = self.running.agent, self.running.hold
        self.helpers = [world.spawn(agent, hold, READ) for _ in range(3)]
        for taker in (*self.helpers, "booker"):
            taken = world.hand_over(hold, agent, taker, READ)
            assert world.agent(taker).exchange(taken, resource=CALENDAR).status_code == 200
        self.asking = Asking(world, world.agent(agent), hold)
        self.asked = self.asking.asked(scope="openid calendar:write", resource=CALENDAR)
        if completion == "person":
            assert self.running.propose().json()["status"] == "proposed"

    def end_at(self, served: World) -> Callable[[], httpx.Response]:
        """Return what lets its agent say there that it is over, or its person that it is."""
        self.running.world = served
        browser = served.browser(self.running.person)
        page = f"/deputize/agents/tasks/{self.running.id}"
        form = read_form(browser.get(page).text)
        if not form["shown"][0].strip():
            return self.running.propose
        sent = {name: value for name, value in form.items() if name != "action"}
        return partial(browser.post, page, data=sent | {"decision": "accept"})


def test_tasks_whose_end_a_killed_worker_was_at_have_ended_whole_or_not_at_all(
    world: World,
) -> None:
    with killable_worker(world) as (process, metadata):
        url = metadata["token_endpoint"].removesuffix("/oauth/token")
        served = replace(world, url=url, metadata=metadata)
        # From its first answer on it seals, while others make what there is to seal.
        served.browser()
        trees = [Grown(world, completion) for completion in ("at_once", "person") * 2]
        ends = [tree.end_at(served) for tree in trees]
        registration = world.metadata["registration_endpoint"]
        doomed = Doomed(process, metadata, registration, answers_left=2)
        with ThreadPoolExecutor(len(trees)) as pool:
            ended = list(pool.map(doomed.end, ends))
        process.wait(timeout=10)
    assert sum(ended) >= 2
    for tree, is_told in zip(trees, ended, strict=True):
        assert the_task_has_ended_whole(world, tree) or not is_told
    no_node_is_without_its_event(world)
    no_tree_is_half_ended(world)
    world.app.extensions["deputize"].sealer.seal()
    verdict = verify(world.context.db, [], late_after=60)
    assert (verdict.is_intact, verdict.waiting) == (True, 0), verdict.findings


def the_task_has_ended_whole(world: World, tree: Grown) -> bool:
    """Tell whether it has ended; all that hung on it has then, or nothing of it."""
    running = tree.running
    rows = read_rows(world.context.db, running.agent)
    has_ended = rows.tasks[running.id].ended_at is not None
    of_task = [node for node in rows.nodes.values() if node.task_id == running.id]
    assert len(of_task) > 12
    assert {node.ended_at is not None for node in of_task} == {has_ended}
    expected = Status.RETIRED if has_ended else Status.ACTIVE
    assert {rows.agents[helper].status for helper in tree.helpers} == {expected}
    assert len([e for e in world.events("task.ended") if e["task_id"] == running.id]) == has_ended
    is_waiting = tree.asking.poll(tree.asked).json()["error"] == "authorization_pending"
    assert is_waiting == (rows.tasks[running.id].status == "open")
    return has_ended


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
