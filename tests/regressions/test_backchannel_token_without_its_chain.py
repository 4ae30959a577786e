"""A token of a backchannel request that says nothing of the agents through whom it was asked.

The request stands at the server, not at the chain that made it: where the answer is made
from the client and the person alone, the agents between them are lost.
"""

from dataclasses import replace

from support.agents_http import decode
from support.asking import Asking


def test_each_agent_of_the_chain_stands_in_what_was_approved(asking: Asking) -> None:
    world = asking.world
    taken = world.hand_over(asking.hold, "planner", "booker", "flights:search")
    booker = replace(asking, agent=world.agent("booker"), hold=taken)
    asked = booker.asked()
    booker.say_yes()
    token = booker.poll(asked).json()["access_token"]
    claims = decode(token)[1]
    assert claims["sub"] == asking.person
    assert (claims["act"]["sub"], claims["act"]["act"]["sub"]) == ("booker", "planner")
    told = world.api("pay-api").introspect(token).json()
    assert told["act"] == claims["act"]
