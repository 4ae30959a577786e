"""The trail is searched by person, agent, chain, task, delegation, kind, rule and time."""

import json
from typing import Any

import pytest
from click.testing import Result

from deputize.audit.query import Search, each_event, find_events
from deputize.cli import deputize
from deputize.delegation.persons import find_person_id
from support.agents_http import decode
from support.world import CALENDAR, World


@pytest.fixture(scope="module")
def past(world: World) -> dict[str, str]:
    """What happened: two people, a hand-over, a refusal, and a pause of an hour."""
    ana = world.hold("planner", "ana")
    taken = world.hand_over(ana, "planner", "booker", "calendar:read")
    used = world.agent("booker").exchange(taken, resource=CALENDAR).json()["access_token"]
    world.agent("booker").exchange(ana, resource=CALENDAR)
    early = decode(ana)[1]["iat"]
    world.pass_time(3600)
    eve = world.hold("planner", "eve")
    claims = decode(used)[1]
    with world.context.db.read() as tx:
        people = {who: find_person_id(tx, who) or "" for who in ("ana", "eve")}
    names = {"task": claims["task_id"], "delegation": claims["delegation_id"]}
    return people | names | {"eves_task": decode(eve)[1]["task_id"], "early": str(early)}


def found(world: World, limit: int = 1000, **search: Any) -> list[dict[str, Any]]:
    with world.context.db.read() as tx:
        told = find_events(tx, Search(**search), limit)
    return [json.loads(event.body) for event in told]


def test_by_person(world: World, past: dict[str, str]) -> None:
    ids = {event["person_id"] for event in found(world, person_id=past["eve"])}
    assert ids == {past["eve"]}
    assert {e["kind"] for e in found(world, person_id=past["eve"])} >= {
        "consent.granted",
        "delegation.issued",
    }


def test_by_the_agent_that_acted(world: World, past: dict[str, str]) -> None:
    assert {event["agent"] for event in found(world, agent="booker")} == {"booker"}


def test_by_an_agent_anywhere_in_the_chain(world: World, past: dict[str, str]) -> None:
    told = found(world, through="planner", task_id=past["task"])
    assert {event["agent"] for event in told} == {"planner", "booker"}
    assert {event["agent"] for event in found(world, through="booker", task_id=past["task"])} == {
        "booker"
    }


@pytest.mark.parametrize("name", ["plan_er", "PLANNER", "plann", "lanner", "%"])
def test_a_name_is_whole_and_exact(world: World, past: dict[str, str], name: str) -> None:
    assert not found(world, through=name)
    assert not found(world, agent=name)


def test_by_task_and_delegation(world: World, past: dict[str, str]) -> None:
    told = found(world, task_id=past["task"], delegation_id=past["delegation"])
    assert [event["kind"] for event in told] == ["delegation.issued"]


def test_by_kind_and_by_family(world: World, past: dict[str, str]) -> None:
    assert {e["kind"] for e in found(world, kind="consent.granted")} == {"consent.granted"}
    assert {e["kind"].partition(".")[0] for e in found(world, kind="agent")} == {"agent"}
    assert not found(world, kind="deleg")


def test_by_rule(world: World, past: dict[str, str]) -> None:
    (told,) = found(world, rule="subject.not_the_actor")
    assert (told["person_id"], told["agent"]) == (past["ana"], "booker")


def test_by_time(world: World, past: dict[str, str]) -> None:
    later = int(past["early"]) + 1800
    assert {e.get("task_id") for e in found(world, since=later)} == {None, past["eves_task"]}
    assert past["eves_task"] not in {e.get("task_id") for e in found(world, until=later)}


def test_pages_hold_each_event_once_newest_first(world: World, past: dict[str, str]) -> None:
    pages, before = [], None
    while True:
        with world.context.db.read() as tx:
            page = find_events(tx, Search(), 4, before)
        if not page:
            break
        pages += page
        before = page[-1].id
    assert len(pages) == len(world.events())
    assert len({event.id for event in pages}) == len(pages)
    assert [event.at for event in pages] == sorted((e.at for e in pages), reverse=True)


def test_all_of_them_come_oldest_first(
    world: World, past: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deputize.audit.query.PAGE", 3)
    told = list(each_event(world.context.db, Search()))
    assert len({event.id for event in told}) == len(told) == len(world.events())
    assert [event.at for event in told] == sorted(event.at for event in told)


class TestTheCommand:
    def run(self, world: World, *args: str) -> Result:
        return world.app.test_cli_runner().invoke(deputize, ["audit", "list", *args])

    def events(self, world: World, *args: str) -> list[dict[str, Any]]:
        told = self.run(world, *args, "--json")
        assert told.exit_code == 0, told.output
        return [json.loads(line) for line in told.stdout.splitlines()]

    def test_finds_a_person_by_name_and_by_our_id(self, world: World, past: dict[str, str]) -> None:
        by_name = self.events(world, "--person", "eve")
        assert by_name == self.events(world, f"--person={past['eve']}")
        assert {event["person_id"] for event in by_name} == {past["eve"]}

    def test_finds_a_delegation_without_its_task(self, world: World, past: dict[str, str]) -> None:
        (event,) = self.events(world, f"--delegation={past['delegation']}")
        assert event["chain"] == ["planner", "booker"]

    def test_takes_a_time_as_an_age_or_a_moment(self, world: World, past: dict[str, str]) -> None:
        recent = self.events(world, "--since", "30m")
        assert recent
        assert past["task"] not in {event.get("task_id") for event in recent}
        assert not self.events(world, "--until", "2001-01-01T00:00:00Z")
        assert self.events(world, "--until", "2001-01-01", "--since", "2000-01-01") == []

    def test_goes_on_from_an_event(self, world: World, past: dict[str, str]) -> None:
        last = self.events(world, "--limit", "3")
        before = self.events(world, "--limit", "3", "--before", last[0]["id"])
        assert len({event["id"] for event in last + before}) == 6
        assert max(e["at"] for e in before) <= min(e["at"] for e in last)

    @pytest.mark.parametrize(
        "args",
        [
            ("--person", "nobody"),
            ("--delegation", "none"),
            ("--since", "yesterday"),
            ("--before", "x"),
            ("--before", "f" * 40),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, world: World, args: tuple[str, ...]) -> None:
        told = self.run(world, *args)
        assert told.exit_code == 1
        assert len(told.output.splitlines()) == 1
        assert args[1] in told.output

    def test_shows_both_principals_and_the_chain(self, world: World, past: dict[str, str]) -> None:
        told = self.run(world, "--task", past["task"]).output
        assert "planner → booker" in told
        assert past["ana"] in told
