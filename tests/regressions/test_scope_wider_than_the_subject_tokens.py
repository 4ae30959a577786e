"""Elsewhere a scope was held to the client's registration, not to the subject token."""

from support.agents_http import outcome
from support.world import CALENDAR, World


def test_what_the_client_may_and_the_token_lacks_is_refused(world: World) -> None:
    taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
    booker = world.agent("booker")
    for params in ({}, {"resource": CALENDAR}):
        refused = booker.exchange(taken, scope="calendar:read calendar:write", **params)
        assert outcome(refused) == (400, "invalid_scope")


def test_so_it_is_for_the_agents_own_narrowed_token(world: World) -> None:
    planner = world.agent("planner")
    narrow = planner.exchange(world.hold(), scope="calendar:read").json()["access_token"]
    assert outcome(planner.exchange(narrow, scope="calendar:write")) == (400, "invalid_scope")
