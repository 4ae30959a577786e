"""Black box over HTTP: each module says what one section of a specification asks of the server.

One server answers all tests of a module. The tests see the wire alone; what only an
administrator does, who has no endpoint of his own, the world does for them.
"""

from collections.abc import Iterator

import pytest

from deputize.host import Person
from support.agents_http import Agent
from support.asking import Asking
from support.world import World, running_world


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "section(specification, section): what the tests hold the server to"
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world on SQLite."""
    folder = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as running:
        yield running


@pytest.fixture(scope="module")
def world_on_each_engine(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world on SQLite, then one on PostgreSQL: for what the database has to keep."""
    with running_world(module_database_url, tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture(scope="module")
def planner(world: World) -> Agent:
    """The agent that people deputize."""
    return world.agent("planner")


@pytest.fixture(scope="module")
def booker(world: World) -> Agent:
    """The agent that planner hands over to."""
    return world.agent("booker")


@pytest.fixture(scope="module")
def mallory(world: World) -> Agent:
    """An agent like the others, to whom nobody hands anything."""
    return world.agent("mallory")


@pytest.fixture(scope="module")
def hold(world: World) -> str:
    """Planner's hold on all that ana let it do, good for the five minutes of a module."""
    return world.hold()


@pytest.fixture
def asking(world: World) -> Asking:
    """Planner with a hold of somebody's whom nobody has asked anything yet."""
    person = f"person-{len(world.host.people)}"
    world.host.people[person] = Person(person, person.title())
    return Asking(world, world.agent("planner"), world.hold("planner", person), person)
