"""The token endpoint: a POST of a form, each parameter once, and nothing in the URL."""

from typing import Any

import pytest

from support.agents_http import JWT_BEARER, Agent, http, outcome
from support.world import World

pytestmark = pytest.mark.section("RFC 6749", "3.2")

MALFORMED = (400, "invalid_request")
GRANTS = ["client_credentials", "authorization_code", "refresh_token"]
GRANTS += ["urn:ietf:params:oauth:grant-type:token-exchange"]
NOT_OFFERED = [
    "password",
    "implicit",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
    "urn:openid:params:grant-type:another",
    "CLIENT_CREDENTIALS",
    "client_credentials ",
    'quote " and \\ backslash',
    "gränt",
    "a" * 50_000,
]


def authenticated(agent: Agent, **params: str) -> dict[str, str]:
    assertion = agent.client_assertion()
    return {"client_assertion_type": JWT_BEARER, "client_assertion": assertion, **params}


@pytest.mark.parametrize("endpoint", ["token_endpoint", "introspection_endpoint"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_a_body_that_is_no_form_is_malformed(
    world: World, planner: Agent, endpoint: str, content_type: str | None
) -> None:
    body = httpx_form(authenticated(planner, grant_type="client_credentials", token="x"))
    headers = {"Content-Type": content_type} if content_type else {}
    answer = http.post(world.metadata[endpoint], content=body, headers=headers)
    assert outcome(answer) in (MALFORMED, (401, "invalid_client"))


def httpx_form(params: dict[str, str]) -> bytes:
    return http.build_request("POST", "http://x", data=params).content


def test_json_is_no_form(world: World, planner: Agent) -> None:
    body = authenticated(planner, grant_type="client_credentials")
    assert outcome(http.post(world.metadata["token_endpoint"], json=body)) == MALFORMED


def test_nor_is_multipart(world: World, planner: Agent) -> None:
    """Parameters are sent "using the application/x-www-form-urlencoded format" (§3.2)."""
    params = authenticated(planner, grant_type="client_credentials")
    parts = {name: (None, value) for name, value in params.items()}
    assert outcome(http.post(world.metadata["token_endpoint"], files=parts)) == MALFORMED


def test_a_get_is_no_token_request(world: World, planner: Agent) -> None:
    params = authenticated(planner, grant_type="client_credentials")
    answer = http.get(world.metadata["token_endpoint"], params=params)
    assert answer.status_code in (404, 405)
    assert "access_token" not in answer.text


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_grant_type_is_malformed(planner: Agent, value: str | None) -> None:
    assert outcome(planner.post("token_endpoint", grant_type=value)) == MALFORMED


@pytest.mark.parametrize("grant", NOT_OFFERED, ids=lambda grant: grant[:40])
def test_a_grant_that_is_not_offered_is_refused(planner: Agent, grant: str) -> None:
    answer = planner.post("token_endpoint", grant_type=grant, scope="calendar:read")
    assert outcome(answer) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("grant", ['"quoted"', "back\\slash", "gränt", "line\nfeed", "\u202e"])
def test_a_description_has_only_what_it_may(planner: Agent, grant: str) -> None:
    """ "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E" (§5.2)."""
    answer = planner.post("token_endpoint", grant_type=grant).json()
    described = answer.get("error_description", "")
    assert all(0x20 <= ord(c) <= 0x7E and c not in '"\\' for c in described)


@pytest.mark.parametrize("endpoint", ["token", "introspection", "revocation"])
def test_parameters_in_the_url_are_refused(world: World, planner: Agent, endpoint: str) -> None:
    url = world.metadata[f"{endpoint}_endpoint"] + "?token=x&grant_type=client_credentials"
    answer = http.post(url, data=authenticated(planner, grant_type="client_credentials"))
    assert outcome(answer) == MALFORMED


def test_so_is_a_secret_in_the_url(world: World) -> None:
    url = f"{world.metadata['token_endpoint']}?client_id=calendar-api&client_secret=x"
    assert outcome(http.post(url, data={"grant_type": "client_credentials"})) == MALFORMED


@pytest.mark.parametrize("grant", GRANTS)
@pytest.mark.parametrize(
    "name", ["grant_type", "client_id", "client_assertion", "client_assertion_type", "scope"]
)
def test_a_parameter_is_sent_once(planner: Agent, grant: str, name: str) -> None:
    valid: dict[str, Any] = authenticated(planner, grant_type=grant, client_id="planner")
    valid["scope"] = "calendar:read"
    assert outcome(planner.post("token_endpoint", **valid | {name: [valid[name]] * 2})) == MALFORMED


@pytest.mark.parametrize("endpoint", ["introspection_endpoint", "revocation_endpoint"])
def test_at_every_endpoint(planner: Agent, endpoint: str) -> None:
    assert outcome(planner.post(endpoint, token=["a", "b"])) == MALFORMED
    assert outcome(planner.post(endpoint, token="a\x00")) == MALFORMED
    assert outcome(planner.post(endpoint)) == MALFORMED


@pytest.mark.parametrize("grant", GRANTS)
@pytest.mark.parametrize("name", ["scope", "client_id", "unknown"])
def test_a_nul_is_malformed(planner: Agent, grant: str, name: str) -> None:
    answer = planner.post("token_endpoint", grant_type=grant, **{name: "a\x00"})
    assert outcome(answer) == MALFORMED


def test_a_body_of_megabytes_is_refused_as_json(planner: Agent) -> None:
    answer = planner.post("token_endpoint", grant_type="client_credentials", pad="a" * 3_000_000)
    assert outcome(answer)[0] in (400, 413)


def test_a_body_beyond_the_bound_is_refused(planner: Agent) -> None:
    answer = planner.post("token_endpoint", grant_type="client_credentials", pad="a" * 70_000)
    assert outcome(answer)[0] in (400, 413)


@pytest.mark.parametrize("grant", GRANTS)
def test_authorization_details_are_refused_by_every_grant(
    planner: Agent, hold: str, grant: str
) -> None:
    asked = {"subject_token": hold, "code": "x", "refresh_token": "x", "code_verifier": "v" * 43}
    asked["subject_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
    asked["authorization_details"] = '[{"type": "payment"}]'
    answer = planner.post("token_endpoint", grant_type=grant, **asked)
    assert outcome(answer) == (400, "invalid_authorization_details")


def test_the_issuer_is_never_taken_from_the_host_header(world: World, planner: Agent) -> None:
    form = authenticated(planner, grant_type="client_credentials")
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = http.post(world.metadata["token_endpoint"], data=form, headers=evil)
    assert answer.status_code == 200
    told = planner.introspect(answer.json()["access_token"]).json()
    assert told["iss"] == world.metadata["issuer"]
    document = f"{world.url}/.well-known/oauth-authorization-server"
    assert http.get(document, headers=evil).json() == http.get(document).json()
