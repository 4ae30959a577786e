"""Whoever holds the database hides no event by spoiling another: it is named, the rest is told."""

from collections.abc import Iterator

import pytest
from click.testing import Result
from sqlalchemy import text

from deputize.audit.record import Event, record
from deputize.cli import deputize
from deputize.host import Person
from support.world import World

BODIES = [b"garbage", b"\xff\xfe", b"[]", b"7", b"null", b'{"a":1}', b'{"kind":7,"at":"x"}', b""]


@pytest.fixture(params=BODIES, ids=repr)
def poisoned(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """The id of an event of planner's that is none any more, before another."""
    with world.context.db.write() as tx:
        record(tx, Event("agent.active", agent="planner"))
    (told,) = (one for one in world.events("agent.active") if one["agent"] == "planner")
    spoiled = str(told["id"])
    with world.context.db.write() as tx:
        tx.now += 1
        record(tx, Event("agent.suspended", agent="planner", facts={"why": "unused"}))
        spoil = text("UPDATE deputize_event SET body = :body WHERE id = :id")
        tx.execute(spoil, {"body": request.param, "id": spoiled})
    yield spoiled
    with world.context.db.write() as tx:
        tx.execute(text("DELETE FROM deputize_event WHERE agent = 'planner'"))


def run(world: World, *args: str) -> Result:
    return world.app.test_cli_runner().invoke(deputize, ["audit", *args, "--agent", "planner"])


@pytest.mark.parametrize(
    "args",
    [("export", "--format", "ocsf"), ("export", "--format", "cef"), ("list",)],
    ids=" ".join,
)
def test_it_is_named_and_the_rest_is_told(
    world: World, poisoned: str, args: tuple[str, ...]
) -> None:
    told = run(world, *args)
    assert told.exit_code == 0, told.exception
    assert f"{poisoned}: is no event: see deputize audit verify" in told.stderr
    assert "agent.suspended" in told.stdout


@pytest.mark.parametrize("args", [("export",), ("list", "--json")], ids=" ".join)
def test_so_are_lines_of_json(world: World, poisoned: str, args: tuple[str, ...]) -> None:
    told = run(world, *args)
    assert told.exit_code == 0, told.exception
    assert "agent.suspended" in told.stdout


def test_the_agents_page_shows_the_rest(world: World, poisoned: str) -> None:
    world.host.people["sec"] = Person("sec", "Sec", roles=frozenset({"security"}))
    page = world.browser("sec").get("/deputize/register/planner")
    assert page.status_code == 200
    assert "was suspended" in page.text
