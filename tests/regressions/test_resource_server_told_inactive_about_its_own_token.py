"""Elsewhere only the client that a token was issued to could introspect a delegated one."""

from support.agents_http import decode
from support.world import CALENDAR, FLIGHTS, World


def test_each_resource_server_is_told_of_what_is_for_it(world: World) -> None:
    taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read flights:search")
    for resource, api in ((CALENDAR, "calendar-api"), (FLIGHTS, "flights-api")):
        answer = world.agent("booker").exchange(taken, resource=resource).json()
        told = world.api(api).introspect(answer["access_token"]).json()
        assert told["active"]
        assert told["act"] == decode(answer["access_token"])[1]["act"]
