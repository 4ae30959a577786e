"""Elsewhere a delegated token went on being exchanged once its actor was disabled or deleted."""

import pytest

from deputize.agents.lifecycle import Status
from support.agents_http import outcome
from support.world import World


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.RETIRED])
def test_neither_the_actor_nor_whom_it_handed_over_to_exchanges(
    world: World, status: Status
) -> None:
    giver = f"giver-{status}"
    world.register(giver, delegates_to=frozenset({"booker"}))
    root = world.hold(giver)
    given = world.agent(giver).exchange(root, audience="booker", scope="calendar:read")
    taken = world.hand_over(root, giver, "booker", "calendar:read")
    world.stop(giver, status)
    assert outcome(world.agent(giver).exchange(root)) == (401, "invalid_client")
    for token in (given.json()["access_token"], taken):
        assert outcome(world.agent("booker").exchange(token)) == (400, "invalid_request")
