"""Beside a host with OAuth endpoints of its own: its clients' requests stay its own.

The host here says of each request that reaches it that it was the host's.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deputize.host import Paths
from support.agents_http import (
    ACCESS_TOKEN,
    JWT_BEARER,
    TOKEN_EXCHANGE,
    Agent,
    http,
    jwks,
    new_key,
    outcome,
    pkce,
    register,
)
from support.world import CALENDAR, SECRET, World, authorize_url, running_world

pytestmark = pytest.mark.section("Deputize profile", "6")

PATHS = Paths(
    authorize="/host/authorize",
    token="/host/token",
    introspection="/host/introspect",
    revocation="/host/revoke",
    registration="/host/register",
    jwks="/host/jwks",
    oauth_metadata="/.well-known/oauth-authorization-server",
    openid_metadata="/.well-known/openid-configuration",
)
THE_HOSTS = {"by": "the host"}
FORMS = ("token", "introspection", "revocation")


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder, PATHS) as running:
        yield running


def post(world: World, endpoint: str, headers: Any = None, **form: Any) -> httpx.Response:
    return http.post(world.metadata[f"{endpoint}_endpoint"], data=form, headers=headers)


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


class TestDocuments:
    """Ours is joined to theirs."""

    @pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
    def test_what_only_the_host_knows_stays(self, world: World, name: str) -> None:
        document = http.get(f"{world.url}/.well-known/{name}").json()
        assert document["by"] == "the host"
        assert TOKEN_EXCHANGE in document["grant_types_supported"]
        assert document["token_endpoint"] == f"{world.url}/host/token"

    def test_the_keys_are_joined(self, world: World) -> None:
        document = http.get(world.metadata["jwks_uri"]).json()
        assert document["by"] == "the host"
        assert len(document["keys"]) == 1


class TestTheHosts:
    """What names nothing of ours falls through untouched."""

    @pytest.mark.parametrize("endpoint", FORMS)
    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"client_id": "webapp", "client_secret": "x"},
            {"client_id": "webapp", "grant_type": "password"},
            {"client_id": "webapp", "token": "x", "token_type_hint": "access_token"},
            {"client_id": ["webapp", "webapp"]},
            {"client_id": "a\x00b"},
            {"grant_type": "authorization_code", "code": "x", "client_id": "webapp"},
            {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "webapp"},
            {"client_assertion_type": JWT_BEARER, "client_assertion": "a.b.c"},
            {
                "client_assertion_type": JWT_BEARER,
                "client_assertion": "e30.eyJzdWIiOiJcdWQ4MDAifQ.x",
            },
            {
                "client_assertion_type": JWT_BEARER,
                "client_assertion": "e30.eyJzdWIiOiJhXHUwMDAwIn0.x",
            },
        ],
        ids=range(11),
    )
    def test_a_form(self, world: World, endpoint: str, form: dict[str, Any]) -> None:
        assert post(world, endpoint, **form).json() == THE_HOSTS

    @pytest.mark.parametrize("endpoint", FORMS)
    @pytest.mark.parametrize("client_id", ["webapp", "", "a\x00b", "ключ"])
    def test_a_basic_header(self, world: World, endpoint: str, client_id: str) -> None:
        assert post(world, endpoint, basic(client_id), token="x").json() == THE_HOSTS

    @pytest.mark.parametrize("header", ["Basic", "Basic !", "Bearer x", "Basic //8="])
    def test_a_malformed_header(self, world: World, header: str) -> None:
        answer = post(world, "token", {"Authorization": header}, client_id="webapp")
        assert answer.json() == THE_HOSTS

    def test_an_authorization_request(self, world: World) -> None:
        for client_id in ("webapp", "", "a\x00b", "nobody"):
            url = authorize_url(world.metadata, client_id, pkce()[1])
            assert world.browser().get(url).json() == THE_HOSTS

    def test_a_registration(self, world: World) -> None:
        assert register(world.metadata, client_name="An app").json() == THE_HOSTS
        assert register(world.metadata, "x", client_name="An app").json() == THE_HOSTS

    def test_a_get(self, world: World) -> None:
        for endpoint in FORMS:
            assert http.get(world.metadata[f"{endpoint}_endpoint"]).json() == THE_HOSTS


class TestOurs:
    """What names an agent, a resource server, a grant or a token of ours is never the host's."""

    @pytest.mark.parametrize("endpoint", FORMS)
    @pytest.mark.parametrize("client_id", ["planner", "calendar-api"])
    def test_however_the_client_is_named(self, world: World, endpoint: str, client_id: str) -> None:
        wrong = "another secret of some length"
        for answer in (
            post(world, endpoint, client_id=client_id, token="x", grant_type="password"),
            post(world, endpoint, client_id=client_id, client_secret=wrong, token="x"),
            post(world, endpoint, basic(client_id, wrong), token="x", grant_type="password"),
        ):
            assert outcome(answer) in ((401, "invalid_client"), (400, "unsupported_grant_type"))

    @pytest.mark.parametrize(
        "grant", ["password", "client_credentials", "authorization_code", "refresh_token", "x"]
    )
    def test_an_agent_on_every_grant_of_the_hosts(self, world: World, grant: str) -> None:
        answer = world.agent("planner").post(
            "token_endpoint", grant_type=grant, username="ana", password="x", code="x"
        )
        assert answer.json() != THE_HOSTS

    @pytest.mark.parametrize("status", ["pending", "suspended", "retired"])
    def test_an_agent_that_is_not_active(self, world: World, status: str) -> None:
        world.register(f"is-{status}", status=status)
        answer = post(world, "token", client_id=f"is-{status}", grant_type="password")
        assert answer.json() != THE_HOSTS

    def test_the_exchange_whoever_asks(self, world: World) -> None:
        answer = post(world, "token", basic("webapp"), grant_type=TOKEN_EXCHANGE)
        assert outcome(answer) == (401, "invalid_client")

    def test_a_refresh_token_whoever_presents_it(self, world: World) -> None:
        token = world.consent().json()["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token}
        assert outcome(post(world, "token", basic("webapp"), **form)) == (401, "invalid_client")

    def test_an_authorization_request_of_an_agents(self, world: World) -> None:
        assert (
            "<form" in world.browser().get(authorize_url(world.metadata, "planner", pkce()[1])).text
        )

    def test_a_registration_of_an_agent(self, world: World) -> None:
        members = {"redirect_uris": ["https://a.example/cb"], "jwks": jwks(new_key())}
        answer = register(world.metadata, client_type="agent", **members)
        assert (answer.status_code, answer.json()["agent_status"]) == (201, "pending")

    def test_a_registration_with_a_spawn_token(self, world: World, hold: str) -> None:
        assert world.spawn("planner", hold, "calendar:read")

    def test_everything_works_as_it_does_alone(self, world: World, hold: str) -> None:
        taken = world.hand_over(hold, "planner", "booker", "calendar:read")
        token = world.agent("booker").exchange(taken, resource=CALENDAR).json()["access_token"]
        assert world.is_active(token)


class TestTokensOfOurs:
    """A token of ours is never judged by the host's own endpoints."""

    @pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "x"])
    def test_the_hosts_client_learns_nothing(self, world: World, hint: str | None) -> None:
        granted = world.consent().json()
        for token in (granted["access_token"], granted["refresh_token"]):
            form = {"token": token} | ({"token_type_hint": hint} if hint else {})
            answer = post(world, "introspection", basic("webapp"), **form)
            assert answer.json() == {"active": False}

    def test_the_hosts_client_ends_nothing(self, world: World) -> None:
        granted = world.consent().json()
        for token in (granted["access_token"], granted["refresh_token"]):
            assert post(world, "revocation", basic("webapp"), token=token).status_code == 200
            assert world.agent("planner").introspect(token).json()["active"]

    def test_of_its_own_it_is_told_by_the_host(self, world: World) -> None:
        answer = post(world, "introspection", basic("webapp"), token="the host's own")
        assert answer.json() == THE_HOSTS


class TestTwoClients:
    """A request that names two clients is refused, whosever it was."""

    @pytest.mark.parametrize("endpoint", FORMS)
    def test_one_of_each(self, world: World, endpoint: str) -> None:
        planner = world.agent("planner")
        assertion = {
            "client_assertion_type": JWT_BEARER,
            "client_assertion": planner.client_assertion(),
        }
        for headers, form in (
            (None, {"client_id": ["webapp", "planner"]}),
            (None, {"client_id": ["planner", "webapp"]}),
            (basic("webapp"), {"client_id": "planner"}),
            (basic("planner"), {"client_id": "webapp"}),
            (basic("webapp"), assertion),
            (None, assertion | {"client_id": "webapp"}),
        ):
            answer = post(
                world, endpoint, headers, token="x", grant_type="client_credentials", **form
            )
            assert outcome(answer) == (400, "invalid_request")

    def test_in_an_authorization_request(self, world: World) -> None:
        for pair in (["webapp", "planner"], ["planner", "webapp"]):
            url = authorize_url(world.metadata, pair, pkce()[1])  # type: ignore[arg-type]
            answer = world.browser().get(url)
            assert answer.status_code == 400
            assert answer.headers["Content-Type"].startswith("text/html")


def test_the_subject_token_type_of_the_host_is_not_ours(world: World) -> None:
    stranger = Agent("webapp", world.metadata, secret=SECRET)
    answer = stranger.exchange("x", subject_token_type=ACCESS_TOKEN)
    assert outcome(answer) == (401, "invalid_client")
