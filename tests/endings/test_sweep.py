"""A sweep writes down what time has ended, once, and forgets what can never be used again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from deputize.core.used_once import used_once
from deputize.delegation.keys import LONGEST_LIFETIME
from deputize.delegation.models import code
from deputize.endings.sweep import KEPT, sweep
from deputize.tasks.models import task
from support.agents_http import decode, http
from support.running import Running
from support.world import CALENDAR, World, running_world

DAY = 86_400


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        yield running


def test_an_overdue_task_is_told_once_and_all_of_it_is_ended(world: World) -> None:
    hold = world.hold()
    world.agent("planner").exchange(hold, resource=CALENDAR)
    world.pass_time(9 * 3600)
    assert [sweep(world.context.db).tasks for _ in range(2)] == [1, 0]
    (ended,) = world.events("delegation.ended")
    assert (ended["facts"]["why"], ended["facts"]["nodes"]) == ("overdue", 2)
    with world.context.db.read() as tx:
        assert tx.execute(select(task.c.status)).scalars().all() == ["overdue"]


def test_before_its_deadline_nothing_is_touched(world: World) -> None:
    hold = world.hold()
    assert sweep(world.context.db).tasks == 0
    assert world.agent("planner").introspect(hold).json()["active"] is True


def test_a_task_that_ended_otherwise_hides_none_that_fell_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for no report any more takes no place among those that a sweep looks at."""
    monkeypatch.setattr("deputize.endings.sweep.AT_ONCE", 1)
    revoked, silent = (Running(world, task_heartbeat=60) for _ in range(2))
    world.agent(revoked.agent).revoke(revoked.hold)
    world.pass_time(61)
    assert [sweep(world.context.db).tasks for _ in range(2)] == [1, 0]
    assert [len(one.events("task.ended")) for one in (revoked, silent)] == [1, 1]


def test_spent_assertions_and_codes_are_forgotten_when_nobody_would_believe_them(
    world: World,
) -> None:
    world.hold()
    kept = [_count(world, table) for table in (used_once, code)]
    sweep(world.context.db)
    assert [_count(world, table) for table in (used_once, code)] == kept
    world.pass_time(KEPT + DAY)
    sweep(world.context.db)
    assert [_count(world, table) for table in (used_once, code)] == [0, 0]


def test_a_superseded_key_is_published_until_nothing_it_signed_is_good(world: World) -> None:
    hold = world.hold()
    with world.context.db.write() as tx:
        world.context.key_store.make(tx, signs_from=tx.now + 600)
    assert len(published(world)) == 2
    world.pass_time(600 + LONGEST_LIFETIME - 60)
    sweep(world.context.db)
    assert len(published(world)) == 2
    world.pass_time(120)
    sweep(world.context.db)
    old = decode(hold)[0]["kid"]
    assert len(published(world)) == 1
    assert old not in published(world)
    fresh = world.hold()
    sweep(world.context.db)
    assert world.agent("planner").introspect(fresh).json()["active"] is True


def published(world: World) -> set[str]:
    return {key["kid"] for key in http.get(world.metadata["jwks_uri"]).json()["keys"]}


def _count(world: World, table: object) -> int:
    with world.context.db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]
