"""`deputize approvals stats`: how often people are asked, and how soon they answer."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deputize.cli import deputize
from deputize.host import Person
from support.asking import Asking
from support.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as running:
        yield running


def stats(world: World, *args: str) -> str:
    ran = world.app.test_cli_runner().invoke(deputize, ["approvals", "stats", *args])
    assert ran.exit_code == 0, ran.output
    return str(ran.output)


def told(world: World) -> dict[str, Any]:
    return {row["agent"]: row for row in map(json.loads, stats(world, "--json").splitlines())}


def test_it_tells_questions_by_task_and_what_was_said_how_soon(world: World) -> None:
    assert stats(world, "--json") == ""
    world.host.people["kim"] = Person("kim", "Kim")
    first, second = (
        Asking(world, world.agent("planner"), world.hold("planner", "kim"), "kim") for _ in "12"
    )
    first.asked(binding_message="one")
    world.pass_time(10)
    first.say_yes()
    first.asked(binding_message="two")
    world.pass_time(20)
    first.say_yes(lifetime=60)
    second.asked()
    world.pass_time(40)
    second.say_no()
    rows = told(world)
    row = rows["all"]
    assert rows["planner"] == row | {"agent": "planner"}
    assert {name: row[name] for name in ("tasks", "questions", "yes", "less", "no")} == {
        "tasks": 2, "questions": 3, "yes": 1, "less": 1, "no": 1,
    }  # fmt: skip
    assert row["per_task"] == [1.5, 2]
    assert row["seconds"] == [pytest.approx(20, abs=2), pytest.approx(38, abs=2)]
    assert re.search(
        r"^planner +2 +3 +1.5 \(most 2\) +1 +1 +1 +0 +0 +2\d s \(95%", stats(world), re.M
    )


def test_what_siblings_ask_by_one_card_is_one_question(world: World) -> None:
    world.host.people["lee"] = Person("lee", "Lee")
    before = told(world)["all"]
    root = world.hold("planner", "lee")
    for name in ("booker", "checker"):
        taken = world.hand_over(root, "planner", name, "flights:search")
        Asking(world, world.agent(name), taken, "lee").asked()
    after = told(world)["all"]
    assert after["questions"] == before["questions"] + 1
    assert after["waiting"] == before["waiting"] + 1


def test_what_is_older_is_not_counted(world: World) -> None:
    world.pass_time(3600)
    assert stats(world, "--since", "30m", "--json") == ""
    assert stats(world, "--since", "2h", "--json") != ""


def test_what_is_no_duration(world: World) -> None:
    ran = world.app.test_cli_runner().invoke(deputize, ["approvals", "stats", "--since", "soon"])
    assert ran.exit_code == 1
    assert ran.output == "--since soon: is not a duration such as 90d, 12h or 30m\n"
