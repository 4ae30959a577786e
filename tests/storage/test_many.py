"""What many people started with one agent ends as surely as what one did.

More than SQLite takes in one expression (1,000), or PostgreSQL in one target list (1,664).
"""

import time

import pytest
from benchmarks.planted import Planter, store_person

from deputize.agents.lifecycle import Status
from deputize.delegation.node import Delegation
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import stop_agent
from support.world import CALENDAR, World

TREES = 1_700


@pytest.fixture
def roots(world: World, request: pytest.FixtureRequest) -> list[Delegation]:
    """As many trees of one agent for one person, each named after the test."""
    name = request.node.originalname
    world.register(name)
    with world.context.db.write() as tx:
        person_id = store_person(tx, name)
        scope = frozenset({"calendar:read"})
        planter = Planter(world.url, CALENDAR, scope, person_id, int(time.time()))
        planted = [planter.root(name) for _ in range(TREES)]
        planter.store(tx, planted)
    return planted


def test_all_that_a_suspended_agent_holds_ends(world: World, roots: list[Delegation]) -> None:
    ended = stop_agent(world.context.db, roots[0].actor, Status.SUSPENDED, why="suspended")
    assert ended is not None
    assert (ended.nodes, set(ended.tasks)) == (TREES, {root.task_id for root in roots})


def test_all_of_a_person_who_leaves_ends(world: World, roots: list[Delegation]) -> None:
    ended = person_left(world.context.db, roots[0].actor, why="left")
    assert (ended.nodes, len(ended.tasks)) == (TREES, TREES)
