"""Elsewhere a token's scope was cut by the registration as it was read, not in what is held.

So a scope that was taken from an agent and given back to it came back to its old tokens.
"""

from support.agents_http import outcome
from support.world import CALENDAR, World

READ, WRITE = "calendar:read", "calendar:write"


def waver(world: World, client_id: str) -> None:
    world.edit(client_id, scope=frozenset({READ}))
    world.edit(client_id, scope=frozenset({READ, WRITE}))


def test_a_delegated_token_does_not_get_it_back(world: World) -> None:
    world.register("wavering", scope=frozenset({READ, WRITE}))
    agent = world.agent("wavering")
    root = world.hold("wavering", scope=f"{READ} {WRITE}")
    token = agent.exchange(root, resource=CALENDAR).json()["access_token"]
    waver(world, "wavering")
    assert world.api().introspect(token).json()["scope"] == READ
    for held in (root, token):
        assert agent.exchange(held).json()["scope"] == READ
        assert outcome(agent.exchange(held, scope=WRITE)) == (400, "invalid_scope")


def test_nor_does_one_below_it(world: World) -> None:
    world.register("giver", scope=frozenset({READ, WRITE}), delegates_to=frozenset({"booker"}))
    root = world.hold("giver", scope=f"{READ} {WRITE}")
    taken = world.hand_over(root, "giver", "booker", f"{READ} {WRITE}")
    waver(world, "giver")
    assert world.agent("booker").exchange(taken).json()["scope"] == READ


def test_nor_does_an_agents_own(world: World) -> None:
    world.register("by-itself", scope=frozenset({READ, WRITE}))
    own = world.agent("by-itself").post(
        "token_endpoint", grant_type="client_credentials", resource=CALENDAR
    )
    token = own.json()["access_token"]
    assert world.api().introspect(token).json()["scope"] == f"{READ} {WRITE}"
    waver(world, "by-itself")
    assert WRITE not in world.api().introspect(token).json().get("scope", "")
