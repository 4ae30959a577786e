"""Elsewhere the tokens of a deleted agent were good until they expired."""

from deputize.agents.lifecycle import Status
from support.world import CALENDAR, World


def test_every_token_of_a_retired_agent_is_inactive(world: World) -> None:
    world.register("deleted")
    agent, root = world.agent("deleted"), world.hold("deleted")
    delegated = agent.exchange(root, resource=CALENDAR).json()["access_token"]
    own = agent.post("token_endpoint", grant_type="client_credentials", resource=CALENDAR).json()
    assert world.is_active(delegated)
    assert world.is_active(own["access_token"])
    world.stop("deleted", Status.RETIRED)
    for token in (delegated, own["access_token"]):
        assert world.api().introspect(token).json() == {"active": False}
