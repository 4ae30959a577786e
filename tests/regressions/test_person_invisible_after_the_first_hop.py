"""Elsewhere the subject became the agent, and no API could tell for whom it acted."""

from support.agents_http import decode
from support.world import CALENDAR, World


def test_the_person_is_the_subject_at_every_hop(world: World) -> None:
    token = world.hold()
    for giver, taker in (("planner", "booker"), ("booker", "checker")):
        assert decode(token)[1]["sub"] == "ana"
        token = world.hand_over(token, giver, taker, "calendar:read")
    for_calendar = world.agent("checker").exchange(token, resource=CALENDAR).json()
    assert world.api().introspect(for_calendar["access_token"]).json()["sub"] == "ana"
