"""PKCE: S256 for every agent, and no code is redeemed without its verifier."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from support.agents_http import Agent, outcome
from support.world import CALLBACK, World, authorize_url

pytestmark = pytest.mark.section("RFC 7636", "4")

#: The example of appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def redeem(agent: Agent, code: str, verifier: str | None) -> tuple[int, str]:
    answer = agent.post(
        "token_endpoint",
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=verifier,
    )
    return outcome(answer)


@pytest.mark.parametrize(
    "params",
    [
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"code_challenge": CHALLENGE + "="},
        {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": CHALLENGE[:-1] + "/"},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},  # means plain (§4.3)
        {"code_challenge_method": ""},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": [CHALLENGE, CHALLENGE]},
        {"code_challenge_method": ["S256", "plain"]},
    ],
    ids=lambda params: str(params)[:60],
)
@pytest.mark.parametrize("client_id", ["planner", "on-device"])
def test_a_request_without_an_s256_challenge_is_refused(
    world: World, client_id: str, params: dict[str, Any]
) -> None:
    if client_id not in world.keys:
        world.register("on-device", token_endpoint_auth_method="none", jwks=None)
    url = authorize_url(world.metadata, client_id, CHALLENGE, **params)
    told = parse_qs(urlsplit(world.browser().get(url).headers["Location"]).query)
    assert told["error"] == ["invalid_request"]


def test_the_verifier_redeems_the_code(world: World, planner: Agent) -> None:
    assert redeem(planner, world.code(CHALLENGE), VERIFIER) == (200, "none")


@pytest.mark.parametrize("verifier", [None, "", "short", "v" * 42, "v" * 129, "v" * 42 + "é"])
def test_one_that_is_none_is_malformed(world: World, planner: Agent, verifier: str | None) -> None:
    assert redeem(planner, world.code(CHALLENGE), verifier) == (400, "invalid_request")


@pytest.mark.parametrize("verifier", ["v" * 43, VERIFIER[:-1] + "_", CHALLENGE])
def test_another_one_is_no_grant(world: World, planner: Agent, verifier: str) -> None:
    code = world.code(CHALLENGE)
    assert redeem(planner, code, verifier) == (400, "invalid_grant")
    assert redeem(planner, code, VERIFIER) == (200, "none")


def test_the_challenge_is_no_verifier_of_itself(world: World, planner: Agent) -> None:
    """What an eavesdropper on the front channel sees redeems nothing."""
    assert redeem(planner, world.code(VERIFIER), VERIFIER) == (400, "invalid_grant")
