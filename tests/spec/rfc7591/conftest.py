"""What spawning takes: a task of the test's own, a key for the child, and a spawn token."""

import pytest
from joserfc.jwk import ECKey

from support.agents_http import new_key
from support.world import World


@pytest.fixture
def key() -> ECKey:
    return new_key()


@pytest.fixture
def root(world: World) -> str:
    """A hold of the test's own task."""
    return world.hold()


@pytest.fixture
def spawn_token(world: World, root: str, key: ECKey) -> str:
    answer = world.agent("planner").ask_to_spawn(root, "calendar:read", key)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
