"""Elsewhere a client that called itself an agent, with an owner and scopes, was one."""

from support.agents_http import Agent, jwks, new_key, outcome, register
from support.world import World


def test_it_is_nobody_until_an_administrator_adopts_it(world: World) -> None:
    key = new_key()
    said = {
        "client_type": "agent",
        "agent_owner": "ana",
        "agent_status": "active",
        "agent_parent": "planner",
        "scope": "calendar:read",
        "grant_types": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"],
    }
    answer = register(world.metadata, jwks=jwks(key), **said)
    told = answer.json()
    assert (told["agent_status"], told.get("agent_owner")) == ("pending", None)
    agent = Agent(told["client_id"], world.metadata, key=key)
    own = agent.post("token_endpoint", grant_type="client_credentials")
    assert outcome(own) == (401, "invalid_client")
    assert outcome(agent.exchange(world.hold())) == (401, "invalid_client")
