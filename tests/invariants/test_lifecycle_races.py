"""V1, V2, V9, V13, V18, V19, V20: what tasks and registrations go through, at one moment.

With real threads, in two processes, on both databases. Whoever wins, the loser changes nothing.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from threading import Barrier, Thread
from typing import Any

import httpx
import pytest

from deputize.agents.blueprints import follow
from deputize.agents.declare import declare_agent
from deputize.agents.lifecycle import Status
from deputize.agents.models import BLUEPRINT, Agent, find_agent
from deputize.agents.rotate import rotate_secret
from deputize.audit.record import Event, record
from deputize.audit.verify import verify
from deputize.core.db import Transaction
from deputize.core.secrets import digest
from deputize.delegation.persons import find_person_id
from deputize.endings.answer_end import extend_task
from deputize.endings.edit_agent import edit_agent
from deputize.endings.end_task import end_task
from deputize.endings.erase_person import erase_person
from deputize.endings.stop_agent import start_agent, stop_agent
from deputize.endings.sweep import sweep
from deputize.endings.task_endpoint import _report
from deputize.host import Person
from deputize.tasks.report import find_task
from invariants.lifecycles import Trail
from invariants.rows import Rows, read_rows
from support import agents_http
from support.agents_http import http, new_key, outcome, pkce
from support.running import Running, bearer
from support.world import CALENDAR, CALLBACK, SECRET, World, another_worker

READ = "calendar:read"
LESS = frozenset({"flights:search", "agents:spawn", "tasks"})
EVERYTHING = LESS | {READ, "calendar:write"}
PROPOSE = {"action": "propose", "outcome": "completed"}
Call = Callable[[], Any]
_names = count()


@pytest.fixture(scope="module")
def workers(world: World) -> Iterator[list[dict[str, Any]]]:
    """The metadata of two worker processes of the same server."""
    with another_worker(world) as other:
        yield [world.metadata, other]


def at_once(calls: list[Call]) -> list[Any]:
    """Make all calls at the same moment."""
    barrier = Barrier(len(calls))

    def call(one: Call) -> Any:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(call, c) for c in calls]]


def there(running: Running, worker: dict[str, Any]) -> agents_http.Agent:
    return replace(running.world.agent(running.agent), metadata=worker)


def post_to(running: Running, worker: dict[str, Any], **said: str) -> httpx.Response:
    """Report on the task, to that worker."""
    base = worker["token_endpoint"].removesuffix("/oauth/token")
    url = running.url.replace(running.world.url, base)
    return http.post(url, headers=bearer(running.hold), json=said)


class TestAReport:
    def test_beside_the_sweep_that_finds_it_missing_is_heard_or_is_not(
        self, world: World, workers: list[dict[str, Any]]
    ) -> None:
        for number in range(4):
            running = Running(world, task_heartbeat=60)
            world.pass_time(60 - number % 2)
            reports: list[Call] = [
                partial(post_to, running, workers[i % 2], action="heartbeat") for i in range(6)
            ]
            sweeps: list[Call] = [partial(sweep, world.context.db)] * 2
            answers = at_once([*reports[:3], *sweeps, *reports[3:]])
            # It may have looked before that second, and the reports have come after it.
            sweep(world.context.db)
            heard = [a for a in answers if isinstance(a, httpx.Response) and a.status_code == 200]
            assert running.is_alive() == bool(heard)
            assert len(running.events("task.ended")) == (not heard)

    @pytest.mark.parametrize("completion", ["person", "at_once"])
    @pytest.mark.parametrize("said", [{"action": "heartbeat"}, PROPOSE])
    def test_that_was_looked_at_in_time_and_is_written_too_late_is_none(
        self,
        world: World,
        monkeypatch: pytest.MonkeyPatch,
        said: dict[str, str],
        completion: str,
    ) -> None:
        running = Running(world, task_heartbeat=60, task_completion=completion)

        def late(*reported: Any) -> None:
            world.pass_time(60)
            _report(*reported)

        monkeypatch.setattr("deputize.endings.task_endpoint._report", late)
        assert outcome(running.post(**said)) == (401, "invalid_token")
        sweep(world.context.db)
        (ended,) = running.events("task.ended")
        assert ended["facts"]["why"] == "silent"

    def test_that_it_is_done_beside_an_end_and_exchanges_leaves_nothing_alive(
        self, world: World, workers: list[dict[str, Any]]
    ) -> None:
        """One of the ends happens, and no token that was returned meanwhile is good."""
        for completion in ("person", "at_once"):
            running = Running(world, task_completion=completion)
            end = partial(end_task, world.context.db, running.id, why="cancelled")
            propose = partial(post_to, running, workers[1], action="propose", outcome="completed")
            exchanges: list[Call] = [
                partial(there(running, workers[i % 2]).exchange, running.hold, resource=CALENDAR)
                for i in range(12)
            ]
            answers = at_once([*exchanges[:6], propose, end, propose, *exchanges[6:]])
            assert not any(world.is_active(token) for token in tokens_of(answers))
            assert not running.is_alive()
            assert len(running.events("task.ended")) == 1

    def test_that_it_is_done_leaves_nothing_alive_that_is_made_beside_it(
        self, world: World, workers: list[dict[str, Any]]
    ) -> None:
        running = Running(world, task_completion="person")
        exchanges: list[Call] = [
            partial(there(running, workers[i % 2]).exchange, running.hold, resource=CALENDAR)
            for i in range(12)
        ]
        propose = partial(post_to, running, workers[1], action="propose", outcome="failed")
        answers = at_once([*exchanges[:6], propose, *exchanges[6:]])
        assert running.get().json()["status"] == "proposed"
        assert not any(world.is_active(token) for token in tokens_of(answers))


class TestMoreTime:
    def test_beside_the_sweep_it_is_given_or_the_task_is_over(self, world: World) -> None:
        """In the second of the deadline and in the one before."""
        for number in range(4):
            running = Running(world)
            with world.context.db.read() as tx:
                of = find_task(tx, running.id)
                assert of is not None
                world.pass_time(of.deadline - tx.now - number % 2)
            db = world.context.db
            more: list[Call] = [partial(extend_task, db, of, of.deadline + 86_400)] * 3
            at_once([*more, partial(sweep, db), partial(sweep, db)])
            sweep(db)
            given, ended = (running.events(kind) for kind in ("task.extended", "task.ended"))
            assert bool(given) != bool(ended)
            assert len(ended) <= 1
            assert number % 2 or not given, "it was over, swept or not"


MADE: dict[str, Callable[[Running, dict[str, Any]], Call]] = {
    "exchanged": lambda running, worker: partial(
        there(running, worker).exchange, running.hold, resource=CALENDAR, scope=READ
    ),
    "refreshed": lambda running, worker: partial(
        there(running, worker).post,
        "token_endpoint",
        grant_type="refresh_token",
        refresh_token=running.refresh_token,
        resource=CALENDAR,
    ),
    "redeemed": lambda running, worker: redemption(running, worker),
    "spawned": lambda running, worker: spawning(running, worker),
}

ENDINGS: dict[str, Callable[[Running], Any]] = {
    "the task ends": lambda running: end_task(
        running.world.context.db, running.id, why="cancelled"
    ),
    "its agent is suspended": lambda running: stop_agent(
        running.world.context.db, running.agent, Status.SUSPENDED, why="suspended"
    ),
    "its agent expires": lambda running: running.world.edit(
        running.agent, expires_at=1_700_000_001
    ),
    "its ceiling is edited": lambda running: running.world.edit(running.agent, scope=LESS),
}


def redemption(running: Running, worker: dict[str, Any]) -> Call:
    """Return the redemption of a code of the agent's, and the use of what it gave."""
    verifier, challenge = pkce()
    code = running.world.code(challenge, running.agent)
    return partial(
        there(running, worker).post,
        "token_endpoint",
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=verifier,
        resource=CALENDAR,
    )


def spawning(running: Running, worker: dict[str, Any]) -> Call:
    """Return the registration of a helper that was allowed."""
    key = new_key()
    allowed = running.world.agent(running.agent).ask_to_spawn(running.hold, READ, key)
    return partial(there(running, worker).register_child, allowed.json()["access_token"], key)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("made", MADE)
def test_what_was_made_beside_what_ends_it_is_dead(
    world: World, workers: list[dict[str, Any]], made: str, ending: str
) -> None:
    running = Running(world, scope=EVERYTHING)
    calls = [MADE[made](running, workers[i % 2]) for i in range(6)]
    answers = at_once([*calls[:3], partial(ENDINGS[ending], running), *calls[3:]])
    # A code is of a task of its own: that goes on.
    if (made, ending) != ("redeemed", "the task ends"):
        assert not any(world.is_active(token) for token in tokens_of(answers))
    rows = read_rows(world.context.db, running.agent)
    no_node_is_left_over(rows, running)
    for helper in (one for one in rows.agents.values() if one.parent == running.agent):
        fits = helper.scope <= LESS and ending == "its ceiling is edited"
        expired = helper.expires_at <= rows.now
        assert helper.status == Status.RETIRED or fits or expired


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_ends_it_waits_for_what_is_being_stored_and_takes_that_too(
    world: World, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the last look and the commit: the locks are what holds it back."""
    running = Running(world, scope=EVERYTHING)
    end = Thread(target=ENDINGS[ending], args=[running])

    def meanwhile(tx: Transaction, happened: Event) -> None:
        if happened.kind == "delegation.issued" and end.ident is None:
            end.start()
            # Long enough for it to happen, were it not held back.
            end.join(0.1)
        record(tx, happened)

    monkeypatch.setattr("deputize.delegation.issue.record", meanwhile)
    answer = world.agent(running.agent).exchange(running.hold, resource=CALENDAR, scope=READ)
    end.join(60)
    assert not world.is_active(answer.json()["access_token"])
    assert not world.agent(running.agent).exchange(running.hold, scope=READ).is_success
    no_node_is_left_over(read_rows(world.context.db, running.agent), running)


class TestARegistration:
    def test_resumed_and_retired_at_once_it_is_retired(self, world: World) -> None:
        name, db = registered(world), world.context.db
        for _ in range(3):
            stop_agent(db, name, Status.SUSPENDED, why="suspended")
            starts: list[Call] = [partial(start_agent, db, name)] * 4
            at_once([*starts, partial(stop_agent, db, name, Status.RETIRED, why="suspended")])
            assert now_there(world, name).status == Status.RETIRED
            assert not start_agent(db, name)
            name = registered(world)

    def test_an_instance_that_is_resumed_while_its_blueprint_is_stopped_is_stopped(
        self, world: World
    ) -> None:
        db = world.context.db
        for _ in range(5):
            fleet = blueprint_of(world)
            instance = registered(world, blueprint=fleet.client_id)
            stop_agent(db, instance, Status.SUSPENDED, why="suspended")
            stop = partial(stop_agent, db, fleet.client_id, Status.SUSPENDED, why="suspended")
            starts: list[Call] = [partial(start_agent, db, instance)] * 3
            at_once([*starts[:1], stop, *starts[1:]])
            assert now_there(world, instance).status == Status.SUSPENDED

    @pytest.mark.parametrize("is_stopped", [False, True])
    def test_an_instance_that_is_declared_while_its_blueprint_changes_is_as_that_is(
        self, world: World, is_stopped: bool
    ) -> None:
        db = world.context.db
        for _ in range(5):
            fleet = blueprint_of(world)
            names = [f"instance-{next(_names)}" for _ in range(4)]
            declared: list[Call] = [
                partial(declare_agent, db, instance_of(fleet, name), by="command line")
                for name in names
            ]
            change: Call = partial(edit_agent, db, replace(fleet, scope=LESS))
            if is_stopped:
                change = partial(stop_agent, db, fleet.client_id, Status.SUSPENDED, why="suspended")
            at_once([*declared[:2], change, *declared[2:]])
            blueprint = now_there(world, fleet.client_id)
            for instance in (now_there(world, name) for name in names):
                assert instance == follow(instance, blueprint)
                assert instance.status == blueprint.status

    def test_edited_twice_at_once_a_blueprint_and_its_instances_are_one(self, world: World) -> None:
        for _ in range(5):
            fleet = blueprint_of(world)
            names = [registered(world, blueprint=fleet.client_id) for _ in range(3)]
            db = world.context.db
            at_once(
                [
                    partial(edit_agent, db, replace(fleet, purpose=purpose))
                    for purpose in ("Letters", "Trips", "Bills")
                ]
            )
            purposes = {now_there(world, name).purpose for name in (fleet.client_id, *names)}
            assert len(purposes) == 1

    @pytest.mark.parametrize("overlap", [0, 60])
    def test_of_secrets_that_replace_each_other_at_once_the_last_is_good(
        self, world: World, overlap: int
    ) -> None:
        """And the one before it where they overlap: what it had at first is none of the two."""
        name = registered(
            world,
            token_endpoint_auth_method="client_secret_basic",
            secret_digest=digest(SECRET),
            jwks=None,
        )
        secrets = at_once([partial(rotate_secret, world.context.db, name, overlap)] * 6)
        assert len(set(secrets)) == 6
        good = [secret for secret in [SECRET, *secrets] if is_let_in(world, name, secret)]
        assert len(good) == (2 if overlap else 1)
        assert SECRET not in good
        told = [e for e in world.events("agent.credential_rotated") if e["agent"] == name]
        assert len(told) == 6


def test_a_person_who_is_erased_while_their_agents_act_and_two_seal_leaves_a_whole_trail(
    world: World, workers: list[dict[str, Any]]
) -> None:
    """V20: what was sealed before stays how the trail begins; nothing of theirs is alive."""
    db, sealer, trail = world.context.db, world.app.extensions["deputize"].sealer, Trail()
    for number in range(3):
        key = f"erased-{number}"
        world.host.people[key] = Person(key, key)
        running = Running(world, key)
        with db.read() as tx:
            person_id = find_person_id(tx, key)
        assert person_id is not None
        acts: list[Call] = [
            partial(there(running, workers[i % 2]).exchange, running.hold, resource=CALENDAR)
            for i in range(10)
        ]
        erase = partial(erase_person, db, person_id, by="command line")
        answers = at_once([*acts[:5], sealer.seal, erase, sealer.seal, *acts[5:]])
        assert not any(world.is_active(token) for token in tokens_of(answers))
        trail.look(world)
        with db.read() as tx:
            assert find_person_id(tx, key) is None
    sealer.seal()
    trail.look(world)
    verdict = verify(db, [], late_after=60)
    assert (verdict.is_intact, verdict.waiting) == (True, 0), verdict.findings


def no_node_is_left_over(rows: Rows, running: Running) -> None:
    """V1: each has ended with its task, or holds what its agent may hold still."""
    own = [node for node in rows.nodes.values() if node.actor == running.agent]
    assert own
    for node in (node for node in own if node.ended_at is None):
        assert rows.tasks[node.task_id].ended_at is None
        assert node.scope <= rows.agents[running.agent].scope


def tokens_of(answers: list[Any]) -> list[str]:
    """Return the tokens for the calendar that were handed out; a refusal is an OAuth error."""
    given = [a for a in answers if isinstance(a, httpx.Response)]
    for answer in given:
        assert answer.status_code in (200, 201) or outcome(answer)[1] != "none"
    told = [a.json() for a in given if a.status_code == 200]
    return [answer["access_token"] for answer in told if "access_token" in answer]


def registered(world: World, **members: Any) -> str:
    name = f"raced-{next(_names)}"
    world.register(name, **members)
    return name


def blueprint_of(world: World) -> Agent:
    name = registered(world, token_endpoint_auth_method=BLUEPRINT, jwks=None)
    return now_there(world, name)


def instance_of(blueprint: Agent, name: str) -> Agent:
    """Return an instance as it is declared, by the blueprint as it was read."""
    own = {"client_id": name, "name": name, "blueprint": blueprint.client_id}
    by_secret = {"token_endpoint_auth_method": "client_secret_basic"}
    return replace(blueprint, **own, **by_secret, secret_digest=digest(SECRET))


def now_there(world: World, client_id: str) -> Agent:
    with world.context.db.read() as tx:
        found = find_agent(tx, client_id)
    assert found is not None
    return found


def is_let_in(world: World, client_id: str, secret: str) -> bool:
    agent = agents_http.Agent(client_id, world.metadata, secret=secret)
    return agent.introspect("nothing").status_code == 200
