"""Bad input gets an error and never a 500: text that no database column can hold.

PostgreSQL refuses a NUL in any text, and neither engine stores half of a surrogate pair.
"""

from typing import Any

import pytest

from support.agents_http import http, jwks, new_key, outcome, pkce, register
from support.world import World, authorize_url, read_form

pytestmark = pytest.mark.section("RFC 6749", "5.2")

NUL = "a\x00b"
CHALLENGE = pkce()[1]


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "scope", "state", "resource", "prompt", "unknown"]
)
def test_in_an_authorization_request(world: World, name: str) -> None:
    url = authorize_url(world.metadata, "planner", CHALLENGE, **{name: NUL})
    assert world.browser().get(url).status_code in (303, 400)


@pytest.mark.parametrize("name", ["scope", "pass_on", "until", "shown", "csrf_token", "decision"])
def test_in_a_decision(world: World, name: str) -> None:
    browser = world.browser()
    form = read_form(browser.get(authorize_url(world.metadata, "planner", CHALLENGE)).text)
    action = form.pop("action")[0]
    form["decision"] = ["allow"]
    form[name] = [*form[name], NUL]
    assert browser.post(action, data=form).status_code in (303, 400)


@pytest.mark.parametrize("name", ["code", "code_verifier", "redirect_uri", "refresh_token"])
@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token"])
def test_in_a_token_request(world: World, grant: str, name: str) -> None:
    asked: dict[str, Any] = {"code": "x", "code_verifier": "v" * 43, "refresh_token": "x"}
    answer = world.agent("planner").post("token_endpoint", grant_type=grant, **asked | {name: NUL})
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("endpoint", ["token", "introspection", "revocation"])
@pytest.mark.parametrize("client_id", [NUL, "\x00", "a" * 20_000, "%00", "%ff"])
def test_in_a_client_id(world: World, endpoint: str, client_id: str) -> None:
    url = world.metadata[f"{endpoint}_endpoint"]
    form = {"grant_type": "client_credentials", "token": "x"}
    in_body = http.post(url, data=form | {"client_id": client_id, "client_secret": "x"})
    in_header = http.post(url, data=form, auth=(client_id, "x"))
    assert {outcome(in_body)[0], outcome(in_header)[0]} <= {400, 401}


def test_in_a_form_that_is_no_utf8(world: World) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"grant_type=%ff&client_id=%ed%a0%80&client_secret=%c0%80&token=%ff"
    for endpoint in ("token", "introspection", "revocation"):
        url = world.metadata[f"{endpoint}_endpoint"]
        assert outcome(http.post(url, content=body, headers=headers))[0] in (400, 401)


@pytest.mark.parametrize("text", [NUL, "\ud800"])
@pytest.mark.parametrize(
    "name",
    [
        "client_name",
        "agent_purpose",
        "agent_model",
        "agent_vendor",
        "software_version",
        "scope",
        "token_endpoint_auth_method",
    ],
)
def test_in_a_registration(world: World, name: str, text: str) -> None:
    members = {"redirect_uris": ["https://a.example/cb"], "jwks": jwks(new_key()), name: text}
    assert outcome(register(world.metadata, **members)) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("text", [NUL, "\ud800"])
@pytest.mark.parametrize("name", ["resources", "delegates_to", "grant_types", "redirect_uris"])
def test_in_a_list_of_a_registration(world: World, name: str, text: str) -> None:
    members = {"redirect_uris": ["https://a.example/cb"], "jwks": jwks(new_key()), name: [text]}
    assert outcome(register(world.metadata, **members))[0] == 400


def test_in_the_path_of_a_page(world: World) -> None:
    for name in ("%00", "%ff", "%ed%a0%80", "a" * 5000):
        page = f"{world.metadata['agents_page']}/{name}/end"
        assert world.browser().get(page).status_code in (400, 404)
