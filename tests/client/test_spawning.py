"""A throw-away sub-agent in one call (PROTOCOL §1, Spawning)."""

from collections.abc import Callable

import pytest

from deputize.client import AgentClient, OAuthError, Token
from support.world import FLIGHTS, World

Agents = Callable[[str], AgentClient]


@pytest.fixture
def child(hold: Token) -> AgentClient:
    return hold.spawn(scope="flights:search", purpose="Compare fares")


def test_one_call_makes_an_agent_that_can_be_handed_authority(
    world: World, hold: Token, child: AgentClient
) -> None:
    token = child.take(hold.hand_over(child.client_id, "flights:search").value, FLIGHTS)
    assert token.chain() == (child.client_id, "planner")
    assert world.is_active(token.value, "flights-api")


def test_the_server_names_it_after_its_parent(world: World, child: AgentClient) -> None:
    assert child.client_id.startswith("planner.")
    (spawned,) = [e for e in world.events("agent.spawned") if e["agent"] == child.client_id]
    assert spawned["facts"]["parent"] == "planner"
    assert spawned["facts"]["scope"] == ["flights:search"]


def test_its_key_can_go_to_a_process_of_its_own(hold: Token, child: AgentClient) -> None:
    given = hold.hand_over(child.client_id, "flights:search")
    with AgentClient.discover(child.issuer, child.client_id, key=child.key) as elsewhere:
        assert elsewhere.take(given.value).chain()[0] == child.client_id


def test_it_is_handed_no_more_than_its_ceiling(hold: Token, child: AgentClient) -> None:
    given = hold.hand_over(child.client_id, "flights:search calendar:read")
    assert child.take(given.value).scope == {"flights:search"}


def test_it_holds_no_scope_that_the_parent_lacks(agent: Agents, hold: Token) -> None:
    held = agent("booker").take(hold.hand_over("booker", "flights:search agents:spawn").value)
    with pytest.raises(OAuthError) as refused:
        held.spawn(scope="calendar:read", purpose="Look around")
    assert refused.value.error == "invalid_scope"


def test_it_dies_with_the_parents_delegation(world: World, hold: Token, child: AgentClient) -> None:
    token = child.take(hold.hand_over(child.client_id, "flights:search").value, FLIGHTS)
    hold.revoke()
    assert not world.is_active(token.value, "flights-api")
    with pytest.raises(OAuthError) as refused:
        token.renew()
    assert (refused.value.error, refused.value.status) == ("invalid_client", 401)
