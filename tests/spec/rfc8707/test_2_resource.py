"""Resource indicators: a delegation has what was consented, and each token one audience."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.agents_http import Agent, decode, outcome
from support.world import CALENDAR, FLIGHTS, PAY, World

pytestmark = pytest.mark.section("RFC 8707", "2")

REFUSED = (400, "invalid_target")


def by_exchange(world: World, granted: dict[str, Any], resource: Any) -> httpx.Response:
    return world.agent("planner").exchange(granted["access_token"], resource=resource)


def by_refresh(world: World, granted: dict[str, Any], resource: Any) -> httpx.Response:
    return world.agent("planner").post(
        "token_endpoint",
        grant_type="refresh_token",
        refresh_token=granted["refresh_token"],
        resource=resource,
    )


def by_itself(world: World, _granted: dict[str, Any], resource: Any) -> httpx.Response:
    return world.agent("planner").post(
        "token_endpoint", grant_type="client_credentials", resource=resource
    )


Ask = Callable[[World, dict[str, Any], Any], httpx.Response]


@pytest.mark.parametrize("ask", [by_exchange, by_refresh, by_itself])
class TestTokenRequest:
    """§2.2: the same rules whatever the grant."""

    def test_a_token_has_one_audience(self, world: World, ask: Ask) -> None:
        answer = ask(world, world.consent().json(), CALENDAR)
        assert decode(answer.json()["access_token"])[1]["aud"] == CALENDAR

    def test_without_one_it_is_for_the_issuer(self, world: World, ask: Ask) -> None:
        answer = ask(world, world.consent().json(), None)
        assert decode(answer.json()["access_token"])[1]["aud"] == world.metadata["issuer"]

    @pytest.mark.parametrize(
        "resource",
        [
            [CALENDAR, FLIGHTS],
            "https://unknown.example",
            f"{CALENDAR}#x",
            f"{CALENDAR}/",
            "https://user@calendar.example",
            "calendar",
            "/calendar",
            "booker",
        ],
        ids=str,
    )
    def test_what_is_no_target_is_refused(self, world: World, ask: Ask, resource: Any) -> None:
        assert outcome(ask(world, world.consent().json(), resource)) == REFUSED


@pytest.mark.parametrize("ask", [by_refresh, by_itself])
def test_the_registration_endpoint_is_a_target_of_the_exchange_alone(
    world: World, ask: Ask
) -> None:
    endpoint = world.metadata["registration_endpoint"]
    assert outcome(ask(world, world.consent().json(), endpoint)) == REFUSED


def test_another_agent_is_a_target_of_the_exchange_alone(world: World) -> None:
    planner, refresh_token = world.agent("planner"), world.consent().json()["refresh_token"]
    own = {"grant_type": "client_credentials"}
    refresh = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    for asked in (own, refresh):
        assert outcome(planner.post("token_endpoint", audience="booker", **asked)) == REFUSED


@pytest.mark.parametrize("ask", [by_exchange, by_refresh])
def test_what_was_not_consented_is_refused(world: World, ask: Ask) -> None:
    granted = world.consent(resource=[FLIGHTS]).json()
    assert outcome(ask(world, granted, CALENDAR)) == REFUSED
    assert ask(world, granted, FLIGHTS).status_code == 200


@pytest.mark.parametrize("ask", [by_exchange, by_refresh])
def test_none_consented_is_none(world: World, ask: Ask) -> None:
    granted = world.consent(resource=None).json()
    for resource in (CALENDAR, FLIGHTS, PAY):
        assert outcome(ask(world, granted, resource)) == REFUSED


def test_a_scope_does_not_bring_its_resource(world: World) -> None:
    root = world.hold(resource=[FLIGHTS])
    assert "calendar:read" in decode(root)[1]["scope"]
    refused = world.agent("planner").exchange(root, resource=CALENDAR, scope="calendar:read")
    assert outcome(refused) == REFUSED


def test_the_issuers_token_is_good_at_no_resource_server(
    world: World, planner: Agent, hold: str
) -> None:
    for api in ("calendar-api", "flights-api", "pay-api"):
        assert world.api(api).introspect(hold).json() == {"active": False}
    for_calendar = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
    assert world.is_active(for_calendar)
    assert not world.is_active(for_calendar, "flights-api")
