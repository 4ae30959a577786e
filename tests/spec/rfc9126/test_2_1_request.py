"""The pushed request: authenticated as everywhere, and judged as at the authorization endpoint."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deputize.core.secrets import digest
from deputize.settings import Agents
from spec.rfc9126.conftest import ASKED, ENDPOINT, Pushing
from support.agents_http import Agent, http, jwks, new_key, outcome, register
from support.world import CALENDAR, CALLBACK, SECRET, World, running_world

pytestmark = pytest.mark.section("RFC 9126", "2.1")


@pytest.fixture(scope="module")
def open_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which the first person who consents adopts an agent."""
    folder: Path = tmp_path_factory.mktemp("open")
    agents = Agents(self_registered="adopt_at_consent")
    with running_world(f"sqlite:///{folder}/d.sqlite3", folder, agents=agents) as running:
        yield running


class TestClientAuthentication:
    """§2: "The rules for client authentication as defined in [RFC6749] for token endpoint
    requests"."""

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    def test_by_a_secret(self, world: World, method: str) -> None:
        secret = {"jwks": None, "secret_digest": digest(SECRET)}
        world.register(f"by-{method}", token_endpoint_auth_method=method, **secret)
        agent = world.with_secret(f"by-{method}")
        more = {"client_secret": SECRET} if method == "client_secret_post" else {}
        agent = replace(agent, secret=None) if more else agent
        assert agent.post(ENDPOINT, **ASKED | more).status_code == 201
        assert '"client_secret"' not in repr(_kept(world))
        assert SECRET not in repr(_kept(world))

    def test_a_public_client_names_itself(self, world: World) -> None:
        world.register("public", token_endpoint_auth_method="none", jwks=None)
        pushing = Pushing(world, Agent("public", world.metadata))
        page = pushing.open(pushing.pushed())
        assert page.status_code == 200
        assert outcome(pushing.push(code_challenge=None)) == (400, "invalid_request")
        assert outcome(pushing.push(redirect_uri="https://a.example")) == (400, "invalid_request")

    def test_an_assertion_is_used_up(self, world: World, pushing: Pushing) -> None:
        assertion = pushing.agent.client_assertion()
        assert pushing.push(client_assertion=assertion).status_code == 201
        assert outcome(pushing.push(client_assertion=assertion)) == (401, "invalid_client")
        assert assertion not in repr(_kept(world))

    def test_and_by_what_is_refused_too(self, pushing: Pushing) -> None:
        assertion = pushing.agent.client_assertion()
        refused = pushing.push(client_assertion=assertion, scope=None)
        assert outcome(refused) == (400, "invalid_scope")
        assert outcome(pushing.push(client_assertion=assertion)) == (401, "invalid_client")

    def test_an_assertion_is_for_the_issuer_alone(self, world: World, pushing: Pushing) -> None:
        """§2 took the URL of an endpoint as well; the revision of RFC 7523 takes that back,
        for an assertion that names one can be had by a server that claims it for its own."""
        for name in (ENDPOINT, "token_endpoint"):
            assertion = pushing.agent.client_assertion(aud=world.metadata[name])
            assert outcome(pushing.push(client_assertion=assertion)) == (401, "invalid_client")

    def test_the_client_is_the_one_that_authenticated(self, pushing: Pushing) -> None:
        assert pushing.push(client_id="planner").status_code == 201
        assert outcome(pushing.push(client_id="booker")) == (400, "invalid_request")

    @pytest.mark.parametrize("client_id", ["nobody", "planner", "ana", "a\x00", "\ud7ff"])
    def test_who_proves_nothing_is_refused(self, world: World, client_id: str) -> None:
        answer = Agent(client_id, world.metadata).post(ENDPOINT, **ASKED)
        assert outcome(answer)[1] in ("invalid_client", "invalid_request")

    def test_an_api_asks_no_person(self, world: World) -> None:
        answer = world.api().post(ENDPOINT, **ASKED)
        assert outcome(answer) == (400, "unauthorized_client")

    @pytest.mark.parametrize("status", ["pending", "suspended", "retired"])
    def test_an_agent_that_is_not_active(self, world: World, status: str) -> None:
        world.register(f"is-{status}", status=status)
        answer = world.agent(f"is-{status}").post(ENDPOINT, **ASKED)
        assert outcome(answer) == (401, "invalid_client")


class TestAdoptedAtConsent:
    """An agent that registered itself may ask for the consent by which it is adopted."""

    def test_it_pushes_and_is_adopted(self, open_world: World) -> None:
        key = new_key()
        said = {"redirect_uris": [CALLBACK], "scope": ASKED["scope"], "resources": [CALENDAR]}
        told = register(open_world.metadata, **said, jwks=jwks(key)).json()
        pushing = Pushing(open_world, Agent(told["client_id"], open_world.metadata, key=key))
        answer = pushing.press(pushing.open(pushing.pushed()))
        code = _sent_back(answer)["code"]
        assert pushing.redeem(code).status_code == 200

    def test_one_that_was_stopped_does_not(self, open_world: World) -> None:
        open_world.register("stopped", status="suspended", origin="self")
        answer = open_world.agent("stopped").post(ENDPOINT, **ASKED)
        assert outcome(answer) == (401, "invalid_client")


@pytest.mark.parametrize("uri", ["urn:ietf:params:oauth:request_uri:x", "https://a.example/r"])
def test_a_request_uri_must_not_be_provided(pushing: Pushing, uri: str) -> None:
    assert outcome(pushing.push(request_uri=uri)) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": '"é\\'}, "unsupported_response_type"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_request"),
        ({"redirect_uri": f"{CALLBACK}/"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "calendar:delete"}, "invalid_scope"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": " ".join(f"s{n}" for n in range(101))}, "invalid_scope"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"resource": [CALENDAR, f"{CALENDAR}#x"]}, "invalid_target"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "sometimes"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "9" * 40}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"state": ["one", "two"]}, "invalid_request"),
        ({"redirect_uri": [CALLBACK, CALLBACK]}, "invalid_request"),
        ({"unknown": ["one", "two"]}, "invalid_request"),
        ({"unknown": "x\x00"}, "invalid_request"),
        ({"state": "x\x00"}, "invalid_request"),
    ],
    ids=lambda of: str(of)[:60],
)
def test_what_the_authorization_endpoint_refuses_is_refused_here(
    pushing: Pushing, changes: dict[str, Any], error: str
) -> None:
    """ "The authorization server MUST process the request ... as it would an authorization
    request sent to the authorization endpoint", and no browser is sent anywhere."""
    answer = pushing.push(**changes)
    assert outcome(answer) == (400, error)
    assert "Location" not in answer.headers


def test_an_agent_that_may_not_ask_this_way(world: World) -> None:
    world.register("no-code", grant_types=frozenset({"client_credentials"}))
    answer = world.agent("no-code").post(ENDPOINT, **ASKED)
    assert outcome(answer) == (400, "unauthorized_client")


def test_the_refusal_leaves_its_event(world: World, pushing: Pushing) -> None:
    pushing.push(redirect_uri="https://evil.example/")
    told = world.events("push.refused")[-1]
    assert (told["agent"], told["rule"]) == ("planner", "authorize.redirect_uri")


def test_parameters_belong_in_the_body(world: World, pushing: Pushing) -> None:
    url = f"{world.metadata[ENDPOINT]}?scope=calendar:read"
    agent = replace(pushing.agent, metadata=world.metadata | {ENDPOINT: url})
    assert outcome(agent.post(ENDPOINT, **ASKED)) == (400, "invalid_request")


def test_the_body_is_a_form(world: World) -> None:
    answer = http.post(world.metadata[ENDPOINT], json=ASKED | {"client_id": "planner"})
    assert outcome(answer)[0] in (400, 401)


def _kept(world: World) -> list[Any]:
    with world.context.db.read() as tx:
        return list(tx.connection.exec_driver_sql("SELECT * FROM deputize_pushed_request").all())


def _sent_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    return dict(answer.next_request.url.params)
