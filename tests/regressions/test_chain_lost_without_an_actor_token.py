"""Elsewhere the act chain was built from the actor token: without one it was lost."""

from support.agents_http import decode
from support.world import World


def test_an_exchange_without_an_actor_token_keeps_the_chain(world: World) -> None:
    taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
    third = world.hand_over(taken, "booker", "checker", "calendar:read")
    act = decode(third)[1]["act"]
    assert [act["sub"], act["act"]["sub"], act["act"]["act"]["sub"]] == [
        "checker",
        "booker",
        "planner",
    ]


def test_so_does_a_renewal(world: World) -> None:
    taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
    renewed = world.agent("booker").exchange(taken).json()["access_token"]
    assert decode(renewed)[1]["act"] == decode(taken)[1]["act"]
