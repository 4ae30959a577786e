"""An agent's whole life by each library: deputized by a person, it narrows, hands over, ends."""

import pytest

from cli.running import Served
from clients.running import Library, Seen
from support.agents_http import ACCESS_TOKEN, decode

CALENDAR = "https://calendar.example"
FLIGHTS = "https://flights.example"
SCOPE = "calendar:read flights:search tasks"
METHODS = {
    "private_key_jwt": "keyed",
    "client_secret_basic": "planner",
    "client_secret_post": "poster",
}


@pytest.fixture(scope="module", params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    """How the agent authenticates, as it is registered."""
    return str(request.param)


@pytest.fixture(scope="module")
def client_id(method: str) -> str:
    return METHODS[method]


@pytest.fixture(scope="module")
def seen(
    served: Served, library: Library, method: str, client_id: str, keys: dict[str, str]
) -> Seen:
    """What one program saw, from the consent page to the end."""
    return library.run(
        "agent",
        ISSUER=served.url,
        CLIENT_ID=client_id,
        CLIENT_AUTH=method,
        CLIENT_KEY=keys["private"],
        CLIENT_SECRET=f"{client_id}-secret-0123456789",
        BOOKER_SECRET="booker-secret-0123456789",
    )


def actors(claims: Seen) -> list[str]:
    """Who acts: the current actor first."""
    act = claims.get("act")
    return [act["sub"], *actors(act)] if act else []


def test_discovery_tells_of_the_exchange(served: Served, seen: Seen) -> None:
    """RFC 8414 §3.3: the issuer is the one that was asked."""
    assert seen["metadata"]["issuer"] == served.url
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    assert exchange in seen["metadata"]["grant_types_supported"]


def test_the_person_deputized_it(served: Served, seen: Seen, client_id: str) -> None:
    """The library compared `iss` (RFC 9207) and proved its `code_verifier` (RFC 7636)."""
    granted = seen["granted"]
    assert granted["scope"] == SCOPE
    assert granted["token_type"].lower() == "bearer"
    assert 0 < granted["expires_in"] <= 300
    _, claims = decode(granted["access_token"])
    assert claims["aud"] == served.url
    assert claims["sub"].startswith("p-")
    assert actors(claims) == [client_id]


def test_a_refresh_gives_another_refresh_token(seen: Seen) -> None:
    granted, refreshed = seen["granted"], seen["refreshed"]
    assert refreshed["scope"] == SCOPE
    assert refreshed["refresh_token"] != granted["refresh_token"]
    before, after = decode(granted["access_token"])[1], decode(refreshed["access_token"])[1]
    assert before["jti"] != after["jti"]
    assert before["delegation_id"] == after["delegation_id"]


def test_an_exchange_renews(seen: Seen) -> None:
    """RFC 8693 §2.2.1: the members of the answer; the same delegation, no refresh token."""
    renewed = seen["renewed"]
    assert renewed["issued_token_type"] == ACCESS_TOKEN
    assert renewed["scope"] == SCOPE
    assert "refresh_token" not in renewed
    before, after = decode(seen["refreshed"]["access_token"])[1], decode(renewed["access_token"])[1]
    assert before["delegation_id"] == after["delegation_id"]


def test_an_exchange_narrows_to_one_api(seen: Seen, client_id: str) -> None:
    _, claims = decode(seen["narrowed"]["access_token"])
    assert (claims["aud"], claims["scope"]) == (CALENDAR, "calendar:read")
    assert actors(claims) == [client_id]


def test_a_hand_over_names_who_may_take_it(seen: Seen, client_id: str) -> None:
    _, claims = decode(seen["offered"]["access_token"])
    assert claims["aud"] == "booker"
    assert claims["may_act"]["sub"] == "booker"
    assert actors(claims) == [client_id]


def test_the_other_agent_takes_it_and_the_chain_grows(seen: Seen, client_id: str) -> None:
    """RFC 8693 §4.1: the same person, the current actor outermost."""
    _, claims = decode(seen["taken"]["access_token"])
    assert (claims["aud"], claims["scope"]) == (FLIGHTS, "flights:search")
    assert claims["sub"] == decode(seen["granted"]["access_token"])[1]["sub"]
    assert actors(claims) == ["booker", client_id]


def test_introspection_tells_the_same(seen: Seen) -> None:
    _, claims = decode(seen["taken"]["access_token"])
    assert seen["active"] == claims | {"active": True, "token_type": "Bearer"}


def test_what_hung_on_a_revoked_grant_has_ended(seen: Seen) -> None:
    """RFC 7009 §2.1: the refresh token was revoked; all that came of it is over."""
    assert seen["afterwards"] == {"active": False}
    assert seen["refused"]["error"] == "invalid_request"
    assert "has ended" in seen["refused"]["error_description"]


def test_acting_for_itself_it_acts_for_nobody(seen: Seen, client_id: str) -> None:
    """RFC 6749 §4.4."""
    assert "refresh_token" not in seen["own"]
    _, claims = decode(seen["own"]["access_token"])
    assert (claims["sub"], claims["aud"]) == (client_id, CALENDAR)
    assert actors(claims) == []
