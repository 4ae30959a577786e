"""What ended long ago is put away whole: dead it stays, and found it can be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from deputize.delegation.models import archived, delegation, refresh_token
from deputize.endings.archive import archive, find_archived
from support.agents_http import decode, outcome
from support.world import CALENDAR, World, running_world

DAY = 86_400


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        yield running


def test_a_tree_that_ended_is_put_away_and_all_of_it_stays_dead(world: World) -> None:
    planner = world.agent("planner")
    consented = world.consent().json()
    hold = consented["access_token"]
    taken = world.hand_over(hold, "planner", "booker", "calendar:read")
    used = world.agent("booker").exchange(taken, resource=CALENDAR).json()["access_token"]
    planner.revoke(hold)
    before = rows(world)
    assert archive(world.context.db, before=now(world)) == before[0] == 4
    assert rows(world) == (0, 4, 0)
    assert not world.is_active(used)
    assert planner.introspect(hold).json() == {"active": False}
    assert outcome(planner.exchange(hold)) == (400, "invalid_request")
    refresh = {"grant_type": "refresh_token", "refresh_token": consented["refresh_token"]}
    assert outcome(planner.post("token_endpoint", **refresh)) == (400, "invalid_grant")


def test_its_events_stay_and_it_can_be_found_as_it_was(world: World) -> None:
    hold = world.hold()
    world.agent("planner").revoke(hold)
    told = world.events()
    archive(world.context.db, before=now(world))
    assert [e for e in world.events() if e["kind"] != "delegation.archived"] == told
    (event,) = world.events("delegation.archived")
    claims = decode(hold)[1]
    assert (event["task_id"], event["facts"]["nodes"]) == (claims["task_id"], 1)
    with world.context.db.read() as tx:
        found = find_archived(tx, claims["delegation_id"])
    assert found is not None
    assert (found.actor, found.ended_why) == ("planner", "revoked")


def test_what_lives_and_what_ended_a_moment_ago_is_left_alone(world: World) -> None:
    hold, ended = world.hold(), world.hold()
    used = world.agent("planner").exchange(hold, resource=CALENDAR).json()["access_token"]
    world.agent("planner").revoke(ended)
    assert archive(world.context.db, before=now(world) - DAY) == 0
    assert world.is_active(used)


def test_a_branch_that_ended_leaves_the_tree_that_lives(world: World) -> None:
    hold = world.hold()
    taken = world.hand_over(hold, "planner", "booker", "calendar:read")
    world.agent("booker").revoke(taken)
    assert archive(world.context.db, before=now(world)) == 1
    assert world.agent("planner").introspect(hold).json()["active"] is True
    assert world.agent("planner").exchange(hold, resource=CALENDAR).status_code == 200


def test_what_expired_without_being_ended_is_put_away_too(world: World) -> None:
    world.register("brief", expires_at=now(world) + 2 * DAY)
    world.hold("brief")
    world.pass_time(90 * DAY)
    assert archive(world.context.db, before=now(world) - DAY) == 1


def now(world: World) -> int:
    with world.context.db.read() as tx:
        return tx.now


def rows(world: World) -> tuple[int, ...]:
    with world.context.db.read() as tx:
        tables = (delegation, archived, refresh_token)
        counts = [tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]
    return tuple(map(int, counts))
