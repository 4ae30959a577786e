"""A world in which two scopes are bound to types: a payment, which is used up, and folders."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.asking import Asking
from support.details import declare, payment, spelled
from support.world import World


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> Iterator[World]:
    declare(world_on_each_engine)
    return world_on_each_engine


@pytest.fixture
def buying(asking: Asking) -> Asking:
    """Planner, who asks for payments."""

    def ask(**params: Any) -> Any:
        usual = {"scope": "openid pay:order", "authorization_details": spelled(payment())}
        return Asking.ask(asking, **usual | params)

    asking.ask = ask  # type: ignore[method-assign]
    return asking
