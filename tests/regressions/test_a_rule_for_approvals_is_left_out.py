"""Defect known elsewhere: a scope whose rule asks for an approval is issued without one,
because the part that would ask is not there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from support.agents_http import outcome
from support.world import CALENDAR, World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as running:
        yield running


@pytest.mark.parametrize(
    "rule",
    [{"single_use": True}, {"acr": "passkey"}, {"max_age": 60}, {"approvers": "group:finance"}],
    ids=lambda rule: next(iter(rule)),
)
def test_it_asks_for_an_approval(world: World, rule: dict[str, Any]) -> None:
    name = f"calendar:{next(iter(rule))}"
    declare_scope(world.context.db, Scope(name, CALENDAR, "Do it once", **rule))
    agent = f"careful-{next(iter(rule))}"
    world.register(agent, scope=frozenset({name, "calendar:read"}))
    hold = world.hold(agent, scope="calendar:read")
    asked = world.agent(agent).exchange(hold, resource=CALENDAR, scope=name)
    assert outcome(asked) == (400, "interaction_required")
