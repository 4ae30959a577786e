"""A resource server asks for the answer as a JWT, which it can keep and show."""

from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deputize.delegation.keys import ACCESS_TOKEN_TYP
from support.agents_http import Agent, decode, http, outcome
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 9701", "4, 5")

JWT = "application/token-introspection+jwt"


@pytest.fixture(scope="module")
def token(planner: Agent, hold: str) -> str:
    return str(planner.exchange(hold, resource=CALENDAR).json()["access_token"])


def ask(world: World, caller: Agent, token: str, accept: str = JWT) -> httpx.Response:
    form: dict[str, Any] = caller._authentication() | {"token": token}
    headers = {"Accept": accept}
    endpoint = world.metadata["introspection_endpoint"]
    return http.post(endpoint, data=form, headers=headers, auth=caller._basic())


def verified(world: World, answer: httpx.Response) -> jwt.Token:
    keys = KeySet.import_key_set(http.get(world.metadata["jwks_uri"]).json())
    return jwt.decode(answer.text, keys, algorithms=["ES256"])


def test_it_is_signed_of_its_own_type_and_nobody_may_store_it(world: World, token: str) -> None:
    answer = ask(world, world.api(), token)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == JWT
    assert answer.headers["Cache-Control"] == "no-store"
    assert verified(world, answer).header["typ"] == "token-introspection+jwt"


def test_it_holds_what_the_json_answer_says(world: World, token: str) -> None:
    claims = verified(world, ask(world, world.api(), token)).claims
    assert claims["token_introspection"] == world.api().introspect(token).json()
    assert claims["token_introspection"]["active"] is True


def test_it_names_who_made_it_and_who_asked(world: World, token: str) -> None:
    claims = verified(world, ask(world, world.api(), token)).claims
    assert claims["iss"] == world.metadata["issuer"]
    assert set(claims["aud"]) == {CALENDAR, "calendar-api"}
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}


@pytest.mark.parametrize("asked", ["another's", "garbage", "ended"])
def test_about_anything_else_it_says_inactive_and_no_more(
    world: World, planner: Agent, token: str, asked: str
) -> None:
    about = {"another's": token, "garbage": "x.y.z"}.get(asked) or world.hold()
    caller = world.api("flights-api") if asked == "another's" else planner
    if asked == "ended":
        planner.revoke(about)
    claims = verified(world, ask(world, caller, about)).claims
    assert claims["token_introspection"] == {"active": False}


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "", f"{JWT};q=0", "application/jwt", "x" * 9000]
)
def test_json_is_what_is_answered_otherwise(world: World, token: str, accept: str) -> None:
    answer = ask(world, world.api(), token, accept)
    assert outcome(answer) == (200, "none")
    assert answer.json()["active"] is True


@pytest.mark.parametrize(
    "accept", [f"{JWT};q=0.5, */*", f"application/json;q=0.1,{JWT}", JWT.upper()]
)
def test_it_may_be_asked_for_among_others(world: World, token: str, accept: str) -> None:
    assert ask(world, world.api(), token, accept).headers["Content-Type"] == JWT


def test_who_does_not_authenticate_gets_json(world: World, token: str) -> None:
    stranger = Agent("calendar-api", world.metadata, secret="x" * 30)
    assert outcome(ask(world, stranger, token)) == (401, "invalid_client")


def test_it_is_no_access_token(world: World, planner: Agent, token: str) -> None:
    """RFC 8725 §3.11: one type per verifier."""
    answer = ask(world, planner, token).text
    assert decode(answer)[0]["typ"] != ACCESS_TOKEN_TYP
    assert outcome(planner.exchange(answer)) == (400, "invalid_request")
    assert planner.introspect(answer).json() == {"active": False}


def test_it_is_advertised(world: World) -> None:
    assert world.metadata["introspection_signing_alg_values_supported"] == ["ES256"]
