"""V1, V2, V9, V13: at each deadline it is over, on every worker at the same moment, once.

Two workers in processes of their own answer before it and at it; nobody sweeps before they were
asked. Then both sweep at once, and what ended is told once.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from deputize.agents.rotate import rotate_secret
from deputize.core.clock import FileClock
from deputize.core.db import Database
from deputize.core.secrets import digest
from deputize.endings.sweep import sweep
from invariants.conftest import asking_of
from support.agents_http import Agent, decode, http, unix_time
from support.running import Running, bearer
from support.world import CALENDAR, World, another_worker

#: Seconds before a deadline at which it is looked whether it still lives: real time goes on.
BEFORE = 30

Workers = tuple[World, World]


@dataclass(frozen=True)
class Deadline:
    """What ends by time alone.

    :param at: NumericDate
    :param lives: tells by one worker's answer whether it still does
    :param ends: kinds of events that say so, once it was swept
    """

    world: World
    at: int
    lives: Callable[[World], bool]
    ends: tuple[str, ...] = ()
    task_id: str = ""

    def told(self) -> list[str]:
        """Return the kinds of the events that tell of its end."""
        about = [e for e in self.world.events() if e["task_id"] == self.task_id]
        return sorted(e["kind"] for e in about if e["kind"] in self.ends)


@pytest.fixture(scope="module")
def workers(world: World) -> Iterator[Workers]:
    """The same world, as two more processes answer for it."""
    with another_worker(world) as one, another_worker(world) as other:
        yield replace(world, metadata=one), replace(world, metadata=other)


def a_task(world: World) -> Deadline:
    """Its deadline; the agent renews its hold until then."""
    task = Running(world)
    deadline = task.get().json()["deadline"]

    def lives(worker: World) -> bool:
        answer = worker.agent(task.agent).post(
            "token_endpoint", grant_type="refresh_token", refresh_token=task.refresh_token
        )
        task.refresh_token = answer.json().get("refresh_token", task.refresh_token)
        return answer.status_code == 200

    return Deadline(world, deadline, lives, ENDS, task.id)


def a_silent_task(world: World) -> Deadline:
    task = Running(world, task_heartbeat=60)
    heard_by = task.get().json()["heard_by"]
    return Deadline(world, heard_by, introspects(task.agent, task.hold), ENDS, task.id)


def a_helper_in_a_silent_task(world: World) -> Deadline:
    task = Running(world, task_heartbeat=60)
    child = world.spawn(task.agent, task.hold, "calendar:read")
    given = world.agent(task.agent).exchange(task.hold, audience=child, scope="calendar:read")
    taken = world.agent(child).exchange(
        given.json()["access_token"], resource=world.metadata["issuer"]
    )
    hold, heard_by = taken.json()["access_token"], task.get().json()["heard_by"]
    ends = (*ENDS, "agent.retired")
    return Deadline(world, heard_by, introspects(child, hold), ends, task.id)


def a_task_whose_end_is_proposed(world: World) -> Deadline:
    """Nothing of it is alive; its agent may ask how it stands."""
    task = Running(world, task_completion="person")
    deadline = task.get().json()["deadline"]
    world.pass_time(deadline - unix_time() - 200)
    hold = task.refreshed()
    task.post(hold, action="propose", outcome="completed")

    def lives(worker: World) -> bool:
        return reports(task, worker, hold) == 200

    return Deadline(world, deadline, lives, ENDS, task.id)


def an_agent(world: World) -> Deadline:
    expires_at = unix_time() + 100
    task = Running(world, expires_at=expires_at)
    return Deadline(world, expires_at, introspects(task.agent, task.hold))


def a_token(world: World) -> Deadline:
    narrow = world.agent("planner").exchange(world.hold(), resource=CALENDAR)
    token = narrow.json()["access_token"]

    def lives(worker: World) -> bool:
        return bool(worker.api().introspect(token).json()["active"])

    return Deadline(world, decode(token)[1]["exp"], lives)


def a_question(world: World) -> Deadline:
    asking = asking_of(world)
    asked = asking.asked()
    (card,) = asking.cards()

    def lives(worker: World) -> bool:
        answer = asking.poll(asked, worker.agent("planner")).json()
        return answer["error"] in ("authorization_pending", "slow_down")

    return Deadline(world, card.expires_at, lives)


def an_old_secret(world: World) -> Deadline:
    name, old = f"rotated-{unix_time()}", "an-old-secret-of-24-letters"
    world.register(
        name,
        token_endpoint_auth_method="client_secret_basic",
        secret_digest=digest(old),
        jwks=None,
    )
    assert rotate_secret(world.context.db, name, 100)

    def lives(worker: World) -> bool:
        agent = Agent(name, worker.metadata, secret=old)
        answer = agent.post("token_endpoint", grant_type="client_credentials", resource=CALENDAR)
        return answer.status_code == 200

    return Deadline(world, unix_time() + 100, lives)


def introspects(client_id: str, token: str) -> Callable[[World], bool]:
    def lives(worker: World) -> bool:
        return worker.agent(client_id).introspect(token).json().get("active") is True

    return lives


def reports(task: Running, worker: World, token: str) -> int:
    url = f"{worker.metadata['tasks_endpoint']}/{task.id}"
    return http.get(url, headers=bearer(token)).status_code


ENDS = ("delegation.ended", "task.ended")
EACH = (
    a_task,
    a_silent_task,
    a_helper_in_a_silent_task,
    a_task_whose_end_is_proposed,
    an_agent,
    a_token,
    a_question,
    an_old_secret,
)


@pytest.mark.parametrize("made", EACH, ids=lambda made: made.__name__)
def test_it_is_over_on_every_worker_and_told_once(
    world: World, workers: Workers, made: Callable[[World], Deadline]
) -> None:
    deadline = made(world)
    move_to(world, deadline.at - BEFORE)
    sweep_twice_at_once(world)
    assert [deadline.lives(worker) for worker in workers] == [True, True]
    move_to(world, deadline.at)
    assert [deadline.lives(worker) for worker in workers] == [False, False]
    assert deadline.told() == [], "it was over before anybody wrote it down"
    sweep_twice_at_once(world)
    assert deadline.told() == sorted(deadline.ends)
    sweep_twice_at_once(world)
    assert deadline.told() == sorted(deadline.ends)
    assert [deadline.lives(worker) for worker in workers] == [False, False]


def test_whoever_is_heard_of_at_the_last_moment_is_heard_or_over(
    world: World, workers: Workers
) -> None:
    """Heartbeats and sweeps race at the deadline: the task is over, or was heard of in time."""
    for moment in (-1, 0):
        task = Running(world, task_heartbeat=60)
        move_to(world, task.get().json()["heard_by"] + moment)
        with ThreadPoolExecutor(4) as pool:
            beats = [pool.submit(beat, task, worker) for worker in workers]
            swept = pool.submit(sweep_twice_at_once, world)
            answers = {each.result() for each in beats}
        swept.result()
        over = task.events("task.ended")
        assert len(over) <= 1
        assert (answers == {401}) or not over, "who was told that it goes on goes on"
        assert task.is_alive() == (200 in answers)


def beat(task: Running, worker: World) -> int:
    url = f"{worker.metadata['tasks_endpoint']}/{task.id}"
    answer = http.post(url, headers=bearer(task.hold), json={"action": "heartbeat"})
    return answer.status_code


def move_to(world: World, at: int) -> None:
    world.pass_time(at - unix_time())


def sweep_twice_at_once(world: World) -> None:
    """As two workers do, each by connections and locks of its own."""
    url = world.context.db.url.render_as_string(hide_password=False)
    databases = [Database(url, FileClock(world.clock_file)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sweep, databases))
    for db in databases:
        db.close()
