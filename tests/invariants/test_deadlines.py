"""V1, V9, V13: what time ends is over at that very second, on each worker, and nobody has to sweep.

One second before, at, and one after: two processes are asked. Then two of them sweep at once:
whatever has an event has one.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from deputize.agents.models import find_agent
from deputize.agents.rotate import rotate_secret
from deputize.core.db import Database
from deputize.core.secrets import digest
from deputize.endings.sweep import sweep
from invariants.conftest import asking_of
from support.agents_http import decode, http, unix_time
from support.running import Running, bearer
from support.world import CALENDAR, SECRET, World, another_worker

Worker = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Deadline:
    """What ends at a second.

    :param at: NumericDate
    :param is_alive: whether a worker takes it as it was before
    :param told: the kind of event that a sweep writes, and how its event is known
    """

    at: int
    is_alive: Callable[[Worker], bool]
    told: tuple[str, str, str] | None = None


@pytest.fixture(scope="module")
def workers(world: World) -> Iterator[list[Worker]]:
    """The metadata of two worker processes of the same server."""
    with another_worker(world) as other:
        yield [world.metadata, other]


@pytest.fixture
def other_db(world: World) -> Iterator[Database]:
    """The database as another process has it open."""
    url = world.context.db.url.render_as_string(hide_password=False)
    opened = Database(url, world.context.db.clock)
    yield opened
    opened.close()


def a_tasks_deadline(world: World) -> Deadline:
    running = Running(world)
    return Deadline(
        running.get().json()["deadline"],
        lambda worker: _holds(running, worker),
        ("task.ended", "task_id", running.id),
    )


def the_deadline_of_one_whose_end_is_proposed(world: World) -> Deadline:
    running = Running(world, task_completion="person")
    deadline = running.propose().json()["deadline"]

    def is_put_to_its_person(worker: Worker) -> bool:
        parts = urlsplit(worker["token_endpoint"])
        there = replace(world, url=f"{parts.scheme}://{parts.netloc}")
        page = there.browser(running.person).get(f"/deputize/agents/tasks/{running.id}")
        return page.status_code == 200

    return Deadline(deadline, is_put_to_its_person, ("task.ended", "task_id", running.id))


def a_missed_report(world: World) -> Deadline:
    running = Running(world, task_heartbeat=60)
    return Deadline(
        running.get().json()["heard_by"],
        lambda worker: _holds(running, worker) and _is_good(world, running, worker),
        ("task.ended", "task_id", running.id),
    )


def an_agents_expiry(world: World) -> Deadline:
    running, at = Running(world), unix_time() + 200
    world.edit(running.agent, expires_at=at)
    return Deadline(at, lambda worker: _holds(running, worker))


def a_tokens_expiry(world: World) -> Deadline:
    narrowed = world.agent("planner").exchange(world.hold(), resource=CALENDAR)
    token = narrowed.json()["access_token"]

    def is_active(worker: Worker) -> bool:
        api = replace(world.api(), metadata=worker)
        return bool(api.introspect(token).json()["active"])

    return Deadline(decode(token)[1]["exp"], is_active)


def a_questions_expiry(world: World) -> Deadline:
    asking = asking_of(world)
    asked = asking.asked(requested_expiry="60")
    (card,) = asking.cards()

    def waits(worker: Worker) -> bool:
        answer = asking.poll(asked, replace(asking.agent, metadata=worker))
        error = answer.json()["error"]
        assert error in ("authorization_pending", "slow_down", "expired_token")
        return bool(error != "expired_token")

    return Deadline(card.expires_at, waits, ("approval.expired", "approval_id", card.id))


def the_end_of_an_overlap(world: World) -> Deadline:
    name = f"overlapping-{len(world.keys)}"
    world.register(
        name,
        token_endpoint_auth_method="client_secret_basic",
        secret_digest=digest(SECRET),
        jwks=None,
    )
    rotate_secret(world.context.db, name, 60)
    with world.context.db.read() as tx:
        known = find_agent(tx, name)
    assert known is not None
    assert known.retiring_until is not None

    def lets_in(worker: Worker) -> bool:
        by_the_old_one = replace(world.with_secret(name), metadata=worker)
        return by_the_old_one.introspect("nothing").status_code == 200

    return Deadline(known.retiring_until, lets_in)


def _holds(running: Running, worker: Worker) -> bool:
    """Tell whether its refresh token is good, which lives as long as what it is of."""
    agent = replace(running.world.agent(running.agent), metadata=worker)
    answer = agent.introspect(running.refresh_token)
    return answer.status_code == 200 and bool(answer.json()["active"])


def _is_good(world: World, running: Running, worker: Worker) -> bool:
    """Tell the same of its hold, by what its task's endpoint says."""
    path = urlsplit(running.url).path
    there = urlsplit(worker["token_endpoint"])._replace(path=path).geturl()
    return http.get(there, headers=bearer(running.hold)).status_code == 200


@pytest.mark.parametrize(
    "ending",
    [
        a_tasks_deadline,
        the_deadline_of_one_whose_end_is_proposed,
        a_missed_report,
        an_agents_expiry,
        a_tokens_expiry,
        a_questions_expiry,
        the_end_of_an_overlap,
    ],
    ids=lambda ending: ending.__name__,
)
def test_it_is_over_at_that_second_on_both_workers_and_told_once(
    world: World, workers: list[Worker], other_db: Database, ending: Callable[[World], Deadline]
) -> None:
    deadline = ending(world)

    def alive(seconds: int) -> list[bool]:
        return asked_at(
            world, deadline.at + seconds, lambda: [deadline.is_alive(w) for w in workers]
        )

    assert [alive(-1), alive(0), alive(1)] == [[True, True], [False, False], [False, False]]
    assert times_told(world, deadline) == 0, "it was true before anybody wrote it down"
    asked_at(world, deadline.at - 1, lambda: sweep_at_once([world.context.db]))
    assert times_told(world, deadline) == 0, "nor before its time"
    asked_at(world, deadline.at, lambda: sweep_at_once([world.context.db, other_db]))
    assert times_told(world, deadline) == (deadline.told is not None)
    assert alive(2) == [False, False]


def asked_at(world: World, second: int, ask: Callable[[], T]) -> T:
    """Ask in exactly that second: again, where the real one was over before all had answered."""
    while True:
        begun = int(time.time())
        world.pass_time(second - world.context.db.clock.now())
        answers = ask()
        if world.context.db.clock.now() == second and int(time.time()) == begun:
            return answers


def sweep_at_once(databases: list[Database]) -> None:
    barrier = Barrier(len(databases))

    def swept(db: Database) -> None:
        barrier.wait()
        sweep(db)

    with ThreadPoolExecutor(len(databases)) as pool:
        list(pool.map(swept, databases))


def times_told(world: World, deadline: Deadline) -> int:
    if deadline.told is None:
        return 0
    kind, name, value = deadline.told
    return sum({**e, **e["facts"]}.get(name) == value for e in world.events(kind))
