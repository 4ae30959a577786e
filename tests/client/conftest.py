"""One world per module, and the agents that its tests run."""

from collections.abc import Callable, Iterator

import pytest

from client.api import Api, calendar
from client.asking import hold_of
from deputize.client import AgentClient, Token
from support.agents_http import unix_time
from support.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as world:
        yield world


@pytest.fixture
def agent(world: World) -> Iterator[Callable[[str], AgentClient]]:
    """Make the client of a registered agent, as its developer would."""
    made: list[AgentClient] = []

    def make(client_id: str) -> AgentClient:
        key = world.keys[client_id]
        made.append(AgentClient.discover(world.url, client_id, key=key, clock=unix_time))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def hold(world: World, agent: Callable[[str], AgentClient]) -> Token:
    """Planner's hold on what Ana let it do a moment ago."""
    return hold_of(world, agent("planner"))


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[Api]:
    """The calendar API."""
    with calendar(world) as api:
        yield api
