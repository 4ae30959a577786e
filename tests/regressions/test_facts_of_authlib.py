"""What Authlib does of itself, and a server built on it must not: each looked at over HTTP."""

from typing import Any

import httpx
import pytest

from support.agents_http import Agent, http, jwks, new_key, outcome, pkce, register
from support.world import CALENDAR, CALLBACK, SECRET, World, authorize_url, present


def test_url_parameters_are_no_parameters(world: World) -> None:
    """Its request joins the query to the form (`request.values`)."""
    assertion = world.agent("planner").client_assertion()
    url = world.metadata["token_endpoint"]
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    answer = http.post(url, params={"grant_type": "client_credentials"}, data=form)
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("client_id", ["nobody", "planner", "clerk"])
def test_an_unknown_client_is_answered_like_a_wrong_secret(world: World, client_id: str) -> None:
    """It answers an unknown client of a POST with 400 and a text of its own."""
    if client_id == "clerk":
        by_secret = {"token_endpoint_auth_method": "client_secret_post", "jwks": None}
        world.register("clerk", secret_digest="0" * 64, **by_secret)
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "x" * 30}
    answer = http.post(world.metadata["token_endpoint"], data=form)
    assert outcome(answer) == (401, "invalid_client")
    assert answer.json()["error_description"] == "Client authentication failed."


@pytest.mark.parametrize("method", ["plain", None])
def test_pkce_binds_confidential_clients_and_is_never_plain(
    world: World, method: str | None
) -> None:
    """`CodeChallenge(required=True)` binds public clients only, and allows `plain`."""
    verifier = pkce()[0]
    url = authorize_url(world.metadata, "planner", verifier[:43], code_challenge_method=method)
    assert "error=invalid_request" in world.browser().get(url).headers["Location"]
    none = authorize_url(world.metadata, "planner", None)
    assert "error=invalid_request" in world.browser().get(none).headers["Location"]


@pytest.mark.parametrize("endpoint", ["token_endpoint", "introspection_endpoint"])
def test_plain_http_under_another_name_is_no_500(world: World, endpoint: str) -> None:
    """It raises `InsecureTransportError` before its `try`."""
    headers = {"Host": "id.example.com"}
    answer = http.post(world.metadata[endpoint], data={"token": "x"}, headers=headers)
    assert outcome(answer) == (401, "invalid_client")
    page = world.browser().get(authorize_url(world.metadata, "nobody", "x"), headers=headers)
    assert page.status_code == 400


def test_the_configuration_endpoint_says_errors_to_the_client_alone(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its RFC 7592 class prints them."""
    told = register(world.metadata, redirect_uris=[CALLBACK], jwks=jwks(new_key())).json()
    bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}
    capfd.readouterr()
    answer = http.put(told["registration_client_uri"], json={"scope": 7}, headers=bearer)
    assert outcome(answer) == (400, "invalid_client_metadata")
    assert capfd.readouterr() == ("", "")


def test_registration_errors_are_json(world: World) -> None:
    """Its errors of RFC 7591 come out as HTML."""
    answer = register(world.metadata, redirect_uris="none")
    assert outcome(answer) == (400, "invalid_redirect_uri")


def test_one_method_of_authentication_is_tried(world: World) -> None:
    """It tries each in turn until one succeeds."""
    form = {"client_id": "planner", "client_secret": SECRET}
    assert outcome(present(world, world.agent("planner").client_assertion(), **form)) == (
        400,
        "invalid_request",
    )


def test_an_assertion_is_for_the_issuer(world: World) -> None:
    """Its `PrivateKeyJWT` clients take the token endpoint for the audience."""
    planner = world.agent("planner")
    for_endpoint = planner.client_assertion(aud=world.metadata["token_endpoint"])
    answer = present(world, for_endpoint)
    assert outcome(answer) == (401, "invalid_client")
    assert world.metadata["issuer"] in answer.json()["error_description"]


@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "junk"])
def test_revocation_is_200_whatever_is_asked(world: World, hint: str | None) -> None:
    """It answers 400 for another client's token, and for a hint that it does not know."""
    hold = world.hold()
    revoked = world.agent("booker").revoke(hold, token_type_hint=hint)
    assert outcome(revoked) == (200, "none")
    assert world.agent("planner").introspect(hold).json()["active"] is True


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "aéb", "a\x7fb"])
def test_no_character_of_a_parameter_is_a_500(world: World, text: str) -> None:
    """An `error_description` raises `ValueError` on each of these."""
    planner = world.agent("planner")
    parameters: list[dict[str, Any]] = [
        {"grant_type": text},
        {"scope": text},
        {"resource": text},
        {"audience": text, "scope": "calendar:read"},
        {"subject_token_type": text},
        {"requested_token_type": text},
    ]
    hold = world.hold()
    for changes in parameters:
        assert planner.exchange(hold, **changes).status_code == 400
    assert planner.introspect(text).json() == {"active": False}


def test_a_confidential_client_may_not_come_without_its_proof(world: World) -> None:
    """Its `none` method lets any client be named, where a grant allows it."""
    nobody = Agent("planner", world.metadata)
    answer: httpx.Response = nobody.exchange(world.hold(), resource=CALENDAR)
    assert outcome(answer) == (401, "invalid_client")
