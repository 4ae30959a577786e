"""The act chain: the person stays the subject, and every agent stays visible."""

import pytest

from support.agents_http import ACCESS_TOKEN, Agent, decode
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 8693", "4.1")

SCOPE = "calendar:read"


def actor(world: World, client_id: str, **older: object) -> dict[str, object]:
    issuer = world.metadata["issuer"]
    return {"iss": issuer, "sub": client_id, "sub_profile": "ai_agent", **older}


@pytest.fixture(scope="module")
def chained(world: World, hold: str) -> list[str]:
    """The holds of planner, booker and checker, each handed over by the one before."""
    second = world.hand_over(hold, "planner", "booker", SCOPE)
    return [hold, second, world.hand_over(second, "booker", "checker", SCOPE)]


def test_the_agent_is_the_actor_from_the_first_hop(world: World, hold: str) -> None:
    claims = decode(hold)[1]
    assert (claims["sub"], claims["sub_profile"]) == ("ana", "user")
    assert claims["act"] == actor(world, "planner")
    assert claims["client_id"] == "planner"


def test_each_older_actor_is_one_level_deeper(world: World, chained: list[str]) -> None:
    planner = actor(world, "planner")
    booker = actor(world, "booker", act=planner)
    acts = [decode(token)[1]["act"] for token in chained]
    assert acts == [planner, booker, actor(world, "checker", act=booker)]


def test_the_outermost_actor_is_the_client(chained: list[str]) -> None:
    for claims in (decode(token)[1] for token in chained):
        assert claims["act"]["sub"] == claims["client_id"]


def test_the_person_is_the_subject_at_any_depth(world: World) -> None:
    token = world.hold(person="eve")
    for giver, taker in (("planner", "booker"), ("booker", "checker")):
        token = world.hand_over(token, giver, taker, SCOPE)
        assert (decode(token)[1]["sub"], decode(token)[1]["sub_profile"]) == ("eve", "user")


def test_a_hand_over_is_still_the_givers(world: World, planner: Agent, hold: str) -> None:
    given = planner.exchange(hold, audience="booker", scope=SCOPE).json()["access_token"]
    assert decode(given)[1]["act"] == actor(world, "planner")
    assert decode(given)[1]["client_id"] == "planner"


def test_narrowing_leaves_the_chain_as_it_is(world: World, chained: list[str]) -> None:
    for name, token in zip(("planner", "booker", "checker"), chained, strict=True):
        narrow = world.agent(name).exchange(token, resource=CALENDAR).json()["access_token"]
        assert decode(narrow)[1]["act"] == decode(token)[1]["act"]


@pytest.mark.parametrize("with_actor_token", [False, True])
def test_the_chain_is_kept_with_and_without_an_actor_token(
    world: World, planner: Agent, hold: str, with_actor_token: bool
) -> None:
    booker = world.agent("booker")
    given = planner.exchange(hold, audience="booker", scope=SCOPE).json()["access_token"]
    own = booker.post("token_endpoint", grant_type="client_credentials").json()["access_token"]
    actor_token = {"actor_token": own, "actor_token_type": ACCESS_TOKEN}
    answer = booker.exchange(given, **(actor_token if with_actor_token else {}))
    claims = decode(answer.json()["access_token"])[1]
    assert claims["act"] == actor(world, "booker", act=actor(world, "planner"))
    assert claims["sub"] == "ana"


def test_nothing_of_the_actor_tokens_own_chain_enters(world: World, hold: str) -> None:
    given = world.agent("planner").exchange(hold, audience="booker", scope=SCOPE)
    of_eve = world.hold("checker", "eve")
    elsewhere = world.hand_over(of_eve, "checker", "booker", "flights:search")
    answer = world.agent("booker").exchange(
        given.json()["access_token"], actor_token=elsewhere, actor_token_type=ACCESS_TOKEN
    )
    claims = decode(answer.json()["access_token"])[1]
    assert claims["sub"] == "ana"
    assert claims["scope"] == SCOPE
    assert claims["act"] == actor(world, "booker", act=actor(world, "planner"))


def test_nothing_but_identity_stands_in_it(chained: list[str]) -> None:
    act = decode(chained[2])[1]["act"]
    while act:
        assert act.keys() - {"act"} == {"iss", "sub", "sub_profile"}
        act = act.get("act")


def test_a_resource_server_sees_all_of_it(world: World, chained: list[str]) -> None:
    token = world.agent("checker").exchange(chained[2], resource=CALENDAR).json()["access_token"]
    told = world.api().introspect(token).json()
    assert told["act"] == decode(token)[1]["act"] == decode(chained[2])[1]["act"]
    assert told["sub"] == "ana"


def test_a_spawned_agent_stands_in_it_like_any_other(world: World, hold: str) -> None:
    child = world.spawn("planner", hold, SCOPE)
    taken = world.hand_over(hold, "planner", child, SCOPE)
    assert decode(taken)[1]["act"] == actor(world, child, act=actor(world, "planner"))
