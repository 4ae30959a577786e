"""What an agent does with a token: narrow, renew, hand over, take, refresh, end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from client.asking import SCOPE, answer, ask
from deputize.client import AgentClient, OAuthError, Token
from support.world import CALENDAR, FLIGHTS, World

Agents = Callable[[str], AgentClient]


def test_a_hold_says_what_was_granted(world: World, hold: Token) -> None:
    assert hold.scope == set(SCOPE.split())
    assert hold.audience == world.url
    assert hold.chain() == ("planner",)
    assert hold.claims["sub"] == "ana"
    assert hold.expires_at - datetime.now(UTC) == pytest.approx(
        timedelta(minutes=5), abs=timedelta(seconds=10)
    )


def test_a_code_can_be_redeemed_for_an_api_at_once(world: World, agent: Agents) -> None:
    planner = agent("planner")
    url, asked = ask(planner)
    token = planner.redeem(asked.code_in(answer(world, url)), asked, CALENDAR)
    assert token.audience == CALENDAR
    assert world.is_active(token.value)


def test_narrowing_leaves_what_belongs_to_the_api(world: World, hold: Token) -> None:
    token = hold.narrow(CALENDAR)
    assert (token.audience, token.scope) == (CALENDAR, {"calendar:read", "calendar:write"})
    assert token.chain() == ("planner",)
    assert world.is_active(token.value)


def test_narrowing_may_name_less(hold: Token) -> None:
    assert hold.narrow(CALENDAR, "calendar:read").scope == {"calendar:read"}


def test_renewing_gives_a_new_lease_on_the_same_delegation(world: World, hold: Token) -> None:
    token = hold.narrow(CALENDAR, "calendar:read")
    renewed = token.renew()
    assert renewed.value != token.value
    assert renewed.claims["delegation_id"] == token.claims["delegation_id"]
    assert (renewed.audience, renewed.scope) == (CALENDAR, {"calendar:read"})


def test_who_takes_a_hand_over_becomes_the_actor(world: World, agent: Agents, hold: Token) -> None:
    given = hold.hand_over("booker", "flights:search")
    token = agent("booker").take(given.value, FLIGHTS)
    assert token.chain() == ("booker", "planner")
    assert (token.audience, token.scope) == (FLIGHTS, {"flights:search"})
    assert token.claims["sub"] == "ana"
    assert world.is_active(token.value, "flights-api")


def test_a_hand_over_can_be_taken_to_hold(world: World, agent: Agents, hold: Token) -> None:
    held = agent("booker").take(hold.hand_over("booker", "flights:search").value)
    assert held.audience == world.url
    assert held.narrow(FLIGHTS).chain() == ("booker", "planner")


def test_nobody_else_can_take_it(agent: Agents, hold: Token) -> None:
    given = hold.hand_over("booker", "flights:search")
    with pytest.raises(OAuthError) as refused:
        agent("mallory").take(given.value, FLIGHTS)
    assert (refused.value.error, refused.value.status) == ("invalid_request", 400)


def test_introspection_tells_an_agent_of_its_own_and_of_what_it_was_handed(
    agent: Agents, hold: Token
) -> None:
    given = hold.hand_over("booker", "flights:search")
    assert hold.introspect()["active"] is True
    assert agent("booker").introspect(given.value)["may_act"]["sub"] == "booker"
    assert agent("mallory").introspect(given.value) == {"active": False}


def test_refreshing_gives_a_new_hold_on_the_same_delegation(hold: Token) -> None:
    again = hold.refresh()
    assert again.claims["delegation_id"] == hold.claims["delegation_id"]
    assert again.refresh_token not in (None, hold.refresh_token)


def test_only_the_root_refreshes(hold: Token) -> None:
    with pytest.raises(ValueError, match="refresh token"):
        hold.narrow(CALENDAR).refresh()


def test_revoking_ends_all_below(world: World, agent: Agents, hold: Token) -> None:
    token = agent("booker").take(hold.hand_over("booker", "flights:search").value, FLIGHTS)
    hold.revoke()
    assert hold.introspect() == {"active": False}
    assert not world.is_active(token.value, "flights-api")
    with pytest.raises(OAuthError):
        token.renew()


def test_a_token_keeps_its_value_to_itself(hold: Token) -> None:
    shown = f"{hold!r} {hold} {hold.agent!r} {hold.agent._connection!r}"
    assert hold.value not in shown
    assert str(hold.refresh_token) not in shown
    assert "calendar:read" in shown
