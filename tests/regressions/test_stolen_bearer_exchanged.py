"""Elsewhere whoever held a token could exchange it: a bearer's possession was enough."""

import pytest

from support.agents_http import ACCESS_TOKEN, outcome
from support.world import CALENDAR, World


@pytest.mark.parametrize("thief", ["booker", "checker", "mallory"])
def test_nobody_to_whom_it_was_not_handed_exchanges_it(world: World, thief: str) -> None:
    planner, root = world.agent("planner"), world.hold()
    tokens = [root, planner.exchange(root, resource=CALENDAR).json()["access_token"]]
    for token in tokens:
        assert outcome(world.agent(thief).exchange(token)) == (400, "invalid_request")


def test_not_even_with_an_actor_token_of_its_own(world: World) -> None:
    mallory = world.agent("mallory")
    own = mallory.post("token_endpoint", grant_type="client_credentials").json()["access_token"]
    refused = mallory.exchange(world.hold(), actor_token=own, actor_token_type=ACCESS_TOKEN)
    assert outcome(refused) == (400, "invalid_request")


def test_a_hand_over_is_good_in_no_other_hands(world: World) -> None:
    given = world.agent("planner").exchange(world.hold(), audience="booker", scope="calendar:read")
    for thief in ("mallory", "checker", "planner"):
        refused = world.agent(thief).exchange(given.json()["access_token"])
        assert outcome(refused) == (400, "invalid_request")
