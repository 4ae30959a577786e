"""A task's end is told to who asked to be told: by a webhook, and by what another package adds."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from deputize.audit.record import Event
from deputize.configuration import Layers, load_settings
from deputize.core.db import Transaction
from deputize.endings.end_task import end_task
from deputize.endings.person_left import person_left
from deputize.endings.sweep import sweep
from deputize.outbox.models import outbox
from deputize.part import ConfigurationError, Part
from notifiers.conftest import SECRET, deliver
from notifiers.receivers import Receiver, receiver
from support.agents_http import decode
from support.running import Running
from support.world import World, running_world

HOURS = 3600


@dataclass
class Heard:
    """What a part of another package hears, while it refuses nothing."""

    events: list[Event] = field(default_factory=list)
    refuses: bool = False

    def hear(self, tx: Transaction, event: Event) -> None:
        if self.refuses:
            raise RuntimeError("it can't be told")
        self.events.append(event)


@pytest.fixture(scope="module")
def taking() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def running(
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    taking: Receiver,
    heard: Heard,
) -> Iterator[World]:
    webhook = {"url": taking.url, "secret": SECRET, "private_hosts": ("127.0.0.1",)}
    part = Part("theirs", listeners=(("task.ended", lambda context: heard.hear),))
    with running_world(
        module_database_url,
        tmp_path_factory.mktemp("world"),
        parts=(part,),
        tasks={"webhook": webhook},
    ) as world:
        yield world


@pytest.fixture
def world(running: World, taking: Receiver, heard: Heard) -> World:
    deliver(running)
    taking.posts.clear()
    heard.events.clear()
    return running


def by_its_agent(task: Running) -> None:
    task.propose("failed")


def by_the_person_who_leaves(task: Running) -> None:
    person_left(task.world.context.db, decode(task.hold)[1]["sub"], why="left")


def by_its_deadline(task: Running) -> None:
    task.world.pass_time(9 * HOURS)
    sweep(task.world.context.db)


def by_giving_up_its_hold(task: Running) -> None:
    task.world.agent(task.agent).revoke(task.hold)


@pytest.mark.parametrize(
    ("ended", "status", "why"),
    [
        (by_its_agent, "failed", "by_itself"),
        (by_the_person_who_leaves, "cancelled", "left"),
        (by_its_deadline, "overdue", "overdue"),
        (by_giving_up_its_hold, "cancelled", "revoked"),
    ],
)
def test_however_it_ended_the_webhook_is_told_once(
    world: World, taking: Receiver, ended: Callable[[Running], None], status: str, why: str
) -> None:
    person = f"somebody-{why}"
    world.host.people[person] = world.host.people["ana"]
    task = Running(world, person)
    started_at = task.get().json()["started_at"]
    ended(task)
    deliver(world)
    (told,) = taking.bodies()
    assert told["type"] == "task.ended"
    assert (
        told["data"].items()
        >= {
            "task_id": task.id,
            "agent": task.agent,
            "status": status,
            "why": why,
            "started_at": started_at,
        }.items()
    )
    assert told["data"]["ended_at"] >= started_at


def test_what_is_told_names_no_person(world: World, taking: Receiver) -> None:
    Running(world).propose()
    deliver(world)
    assert "ana" not in json.dumps(taking.bodies())


def test_a_proposed_end_is_none_yet(world: World, taking: Receiver, heard: Heard) -> None:
    Running(world, task_completion="person").propose()
    deliver(world)
    assert (taking.posts, heard.events) == ([], [])


def test_a_part_hears_it_in_the_transaction_of_the_end(world: World, heard: Heard) -> None:
    task = Running(world)
    heard.refuses = True
    with pytest.raises(RuntimeError):
        end_task(world.context.db, task.id, why="ended_by_operator")
    heard.refuses = False
    assert task.is_alive(), "what can't be told has not happened"
    assert waiting(world) == 0
    end_task(world.context.db, task.id, why="ended_by_operator")
    (event,) = heard.events
    assert (event.kind, event.task_id, event.facts["why"]) == (
        "task.ended",
        task.id,
        "ended_by_operator",
    )
    assert waiting(world) == 1


def test_where_nobody_is_to_be_told_nothing_is_stored(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_world(database_url, tmp_path_factory.mktemp("silent")) as silent:
        Running(silent).propose()
        assert waiting(silent) == 0


@pytest.mark.parametrize(
    ("webhook", "key"),
    [({"url": "https://erp.example.com"}, "secret"), ({"secret": SECRET}, "url")],
)
def test_a_mistake_in_the_settings_is_told_with_its_key(webhook: dict[str, str], key: str) -> None:
    given = {"issuer": "http://127.0.0.1:8000", "database_url": "sqlite:///x"}
    with pytest.raises(ConfigurationError, match=rf"\[deputize\.tasks\.webhook\] {key}: "):
        load_settings(Layers(defaults={**given, "tasks": {"webhook": webhook}}))


def waiting(world: World) -> int:
    with world.context.db.read() as tx:
        waits = select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))
        return int(tx.execute(waits).scalar_one())
