"""`may_act`: it restricts wherever it stands, by (`iss`, `sub`), and is never inherited."""

import pytest

from support.agents_http import Agent, decode, outcome
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 8693", "4.4")

REFUSED = (400, "invalid_request")
FOREIGN = "https://idp.example"


@pytest.fixture(scope="module")
def hand_over(planner: Agent, hold: str) -> str:
    answer = planner.exchange(hold, audience="booker", scope="calendar:read")
    return str(answer.json()["access_token"])


def test_a_hand_over_names_the_one_agent_that_may_take_it(world: World, hand_over: str) -> None:
    claims = decode(hand_over)[1]
    issuer = world.metadata["issuer"]
    assert claims["may_act"] == {"iss": issuer, "sub": "booker", "sub_profile": "ai_agent"}
    assert claims["aud"] == "booker"


def test_it_is_never_inherited(booker: Agent, hand_over: str) -> None:
    for params in ({}, {"resource": CALENDAR}):
        taken = booker.exchange(hand_over, **params).json()["access_token"]
        assert "may_act" not in decode(taken)[1]


def test_a_hand_over_is_good_at_no_resource_server(world: World, hand_over: str) -> None:
    for api in ("calendar-api", "flights-api", "pay-api"):
        assert world.api(api).introspect(hand_over).json() == {"active": False}


def test_it_restricts_the_current_actor_too(world: World, hold: str) -> None:
    for issuer in (world.metadata["issuer"], FOREIGN):
        restricted = decode(hold)[1] | {"may_act": {"iss": issuer, "sub": "booker"}}
        refusal = world.refused(world.agent("planner").exchange, world.forge(restricted))
        assert refusal == (*REFUSED, "subject.may_act")


@pytest.mark.parametrize(
    "may_act",
    [
        {"iss": FOREIGN, "sub": "booker"},
        {"sub": "booker"},
        {"iss": None, "sub": "booker"},
        {"iss": "", "sub": "booker"},
        {"sub": ["booker"]},
        {"client_id": "booker"},
        {},
        None,
    ],
)
def test_a_foreign_or_malformed_one_grants_nothing(
    world: World, hand_over: str, may_act: object
) -> None:
    token = world.forge(decode(hand_over)[1] | {"may_act": may_act})
    assert outcome(world.agent("booker").exchange(token)) == REFUSED


def test_without_it_the_audience_alone_grants_nothing(world: World, hand_over: str) -> None:
    claims = {k: v for k, v in decode(hand_over)[1].items() if k != "may_act"}
    assert outcome(world.agent("booker").exchange(world.forge(claims))) == REFUSED
