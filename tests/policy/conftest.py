"""Worlds in which a policy is asked at every decision: Cedar's, and a service's over HTTP."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from deputize.host import Person
from support.asking import Asking
from support.decisions import Decisions, deciding
from support.world import World, running_world

DAY = 86_400
ALL = '@id("default") permit (principal, action, resource);\n'

#: Seconds that a decision point has.
DEADLINE = 0.6

AskedBy = Callable[[str], Asking]


@pytest.fixture(scope="module")
def policies() -> str:
    """What stands beside the default policy in this module's world."""
    return ""


@pytest.fixture(scope="module")
def world(policies: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world on SQLite whose policies are this module's; it is 17:58 there (UTC)."""
    folder = tmp_path_factory.mktemp("world")
    with cedar_world(policies, folder) as running:
        running.pass_time(seconds_until(17, 58))
        yield running


def cedar_world(policies: str, folder: Path) -> AbstractContextManager[World]:
    """Run a world whose policies allow all but what `policies` forbid."""
    directory = folder / "policies"
    directory.mkdir()
    (directory / "all.cedar").write_text(ALL)
    (directory / "more.cedar").write_text(policies)
    settings = {"engine": "cedar", "directory": str(directory)}
    return running_world(f"sqlite:///{folder}/deputize.sqlite3", folder, policy=settings)


def seconds_until(hour: int, minute: int) -> int:
    """Return the seconds to the next time that it is that late (UTC)."""
    return (hour * 3600 + minute * 60 - int(time.time())) % DAY


@pytest.fixture
def asked_by(world: World) -> AskedBy:
    """Return an agent with a hold of somebody's whom nobody has asked anything yet."""

    def asked_by(client_id: str) -> Asking:
        person = f"person-{len(world.host.people)}"
        world.host.people[person] = Person(person, person.title())
        return Asking(world, world.agent(client_id), world.hold(client_id, person), person)

    return asked_by


@pytest.fixture(scope="module")
def decisions() -> Iterator[Decisions]:
    with deciding() as running:
        yield running


@pytest.fixture(autouse=True)
def well_behaved(request: pytest.FixtureRequest) -> None:
    """Let the decision point allow everything again, where there is one."""
    if "decisions" in request.fixturenames:
        request.getfixturevalue("decisions").begin_again()


def asking_at(decisions: Decisions, **more: Any) -> dict[str, Any]:
    """Return the settings of a server that asks `decisions`."""
    return {
        "engine": "authzen",
        "url": decisions.endpoint,
        "token": "what-we-are-known-by",
        "timeout": DEADLINE,
        "private_hosts": ["127.0.0.1"],
    } | more
