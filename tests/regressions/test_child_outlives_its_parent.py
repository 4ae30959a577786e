"""Elsewhere each exchange began a new lifetime: a child's expiry was never held to its parent's."""

from support.agents_http import decode
from support.world import CALENDAR, World


def test_no_exchange_moves_the_end(world: World) -> None:
    root = world.hold(until=900)
    end = decode(root)[1]["iat"] + 900
    taken = world.hand_over(root, "planner", "booker", "calendar:read")
    for _ in range(3):
        world.pass_time(250)
        taken = world.agent("booker").exchange(taken).json()["access_token"]
        assert decode(taken)[1]["exp"] <= end
    token = world.agent("booker").exchange(taken, resource=CALENDAR).json()["access_token"]
    world.pass_time(150)
    assert world.agent("booker").exchange(taken).is_client_error
    assert not world.is_active(token)


def test_a_spawned_agent_ends_with_the_node_that_it_was_spawned_by(world: World) -> None:
    child = world.spawn("planner", world.hold(until=900), "calendar:read")
    world.pass_time(901)
    assert world.agent(child).introspect("x").status_code == 401
