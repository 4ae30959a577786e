"""One world a module, on each database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deputize.host import Person
from support.asking import Asking
from support.world import World, running_world


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder) as running:
        yield running


@pytest.fixture
def asking(world: World) -> Asking:
    """Planner with a hold of somebody's whom nobody has asked anything yet."""
    return asking_of(world)


def asking_of(
    world: World, client_id: str = "planner", person: str | None = None, **consented: Any
) -> Asking:
    """Return the agent with a new hold of the person's, or of somebody new."""
    if person is None:
        person = f"asked-{len(world.host.people)}"
        world.host.people[person] = Person(person, person.title())
    hold = world.hold(client_id, person, **consented)
    return Asking(world, world.agent(client_id), hold, person)
