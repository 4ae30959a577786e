"""Elsewhere the actor token's chain replaced the subject token's."""

from support.agents_http import ACCESS_TOKEN, decode
from support.world import World


def test_an_exchange_with_an_actor_token_keeps_the_chain(world: World) -> None:
    given = world.agent("planner").exchange(world.hold(), audience="booker", scope="calendar:read")
    others = world.hand_over(world.hold("checker", "eve"), "checker", "booker", "calendar:read")
    answer = world.agent("booker").exchange(
        given.json()["access_token"], actor_token=others, actor_token_type=ACCESS_TOKEN
    )
    claims = decode(answer.json()["access_token"])[1]
    assert claims["sub"] == "ana"
    assert claims["act"]["sub"] == "booker"
    assert claims["act"]["act"]["sub"] == "planner"
    assert "act" not in claims["act"]["act"]
