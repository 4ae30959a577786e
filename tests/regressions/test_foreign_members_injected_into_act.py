"""Elsewhere members of a token that was presented were copied into `act`."""

from support.agents_http import ACCESS_TOKEN, decode
from support.world import World

FOREIGN = {"email": "ana@example.com", "scope": "admin", "exp": 9_999_999_999, "roles": ["admin"]}


def test_the_chain_is_the_servers_own_record(world: World) -> None:
    """Even where the token itself is signed: what it says of the chain is not what is copied."""
    claims = decode(world.hold())[1]
    injected = claims["act"] | FOREIGN | {"act": {"iss": "https://evil.example", "sub": "root"}}
    token = world.forge(claims | {"act": injected} | FOREIGN | {"scope": claims["scope"]})
    planner = world.agent("planner")
    answer = planner.exchange(token, actor_token=token, actor_token_type=ACCESS_TOKEN)
    minted = decode(answer.json()["access_token"])[1]
    assert minted["act"] == claims["act"]
    assert not {"email", "roles"} & minted.keys()
    assert minted["exp"] < 9_999_999_999


def test_the_subject_is_the_servers_own_record(world: World) -> None:
    token = world.forge(decode(world.hold())[1] | {"sub": "ben", "task_id": "another"})
    minted = decode(world.agent("planner").exchange(token).json()["access_token"])[1]
    assert minted["sub"] == "ana"
    assert minted["task_id"] != "another"
