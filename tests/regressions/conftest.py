"""One world per module: each file is one defect that an authorization server has had."""

from collections.abc import Iterator

import pytest

from deputize.host import Person
from support.asking import Asking
from support.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as running:
        yield running


@pytest.fixture
def asking(world: World) -> Asking:
    """Planner with a hold of somebody's whom nobody has asked anything yet."""
    person = f"person-{len(world.host.people)}"
    world.host.people[person] = Person(person, person.title())
    return Asking(world, world.agent("planner"), world.hold("planner", person), person)
