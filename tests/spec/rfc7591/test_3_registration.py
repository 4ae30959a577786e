"""A client that registers itself is an agent, pending, whatever it says of itself."""

from typing import Any

import pytest

from deputize.settings import Agents
from support.agents_http import Agent, http, jwks, new_key, outcome, pkce, register, unix_time
from support.world import CALENDAR, World, authorize_url, running_world

pytestmark = pytest.mark.section("RFC 7591", "3")

CALLBACK = "https://scout.example/callback"
BOASTS: dict[str, Any] = {
    "client_id": "planner",
    "client_type": "user",
    "status": "active",
    "agent_status": "active",
    "origin": "declared",
    "owner": "ana",
    "agent_owner": "ana",
    "sponsor": "ana",
    "agent_parent": "planner",
    "task_id": "x",
    "revision": 99,
    "scope": "calendar:read made:up",
    "max_delegation_depth": 16,
    "agent_expires_at": 2**39,
    "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
}


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def register_itself(world: World, **members: Any) -> tuple[Agent, dict[str, Any]]:
    key = new_key()
    usual = {"client_name": "scout", "redirect_uris": [CALLBACK], "jwks": jwks(key)}
    answer = register(world.metadata, **usual | members)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return Agent(told["client_id"], world.metadata, key=key), told


class TestAnswer:
    """§3.2.1: the client id, and all that was registered."""

    def test_nobody_may_store_it(self, world: World) -> None:
        answer = register(world.metadata, redirect_uris=[CALLBACK], jwks=jwks(new_key()))
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"

    def test_all_that_was_registered_is_told(self, world: World) -> None:
        said = {
            "client_name": "scout",
            "agent_purpose": "Looks around",
            "agent_model": "m-1",
            "agent_vendor": "Scouts",
            "software_version": "1.2",
            "redirect_uris": [CALLBACK],
            "scope": "calendar:read",
            "token_endpoint_auth_method": "private_key_jwt",
        }
        key = new_key()
        told = register(world.metadata, jwks=jwks(key), **said).json()
        assert {name: told.get(name) for name in said} == said
        (kept,) = told["jwks"]["keys"]
        assert kept["x"] == key.as_dict(private=False)["x"]
        assert abs(told["client_id_issued_at"] - unix_time()) <= 60

    def test_a_secret_is_told_once_with_its_end(self, world: World) -> None:
        asked = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic"}
        told = register(world.metadata, **asked).json()
        assert len(told["client_secret"]) >= 43
        assert isinstance(told["client_secret_expires_at"], int)

    def test_a_secret_is_the_servers_to_choose(self, world: World) -> None:
        asked = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_basic"}
        told = register(world.metadata, client_secret="chosen by the client itself", **asked).json()
        assert told["client_secret"] != "chosen by the client itself"

    def test_each_gets_an_id_of_its_own(self, world: World) -> None:
        told = [register_itself(world)[1]["client_id"] for _ in range(2)]
        assert len(set(told)) == 2


class TestPending:
    """It waits for an administrator, who names its owner and gives it its ceiling."""

    def test_whatever_it_says_of_itself(self, world: World) -> None:
        _, told = register_itself(world, **BOASTS)
        assert told["client_id"] != "planner"
        assert told["client_type"] == "agent"
        assert told["agent_status"] == "pending"
        assert "agent_owner" not in told
        assert "agent_parent" not in told
        assert told["max_delegation_depth"] == 1
        assert told["agent_expires_at"] <= unix_time() + 90 * 86400

    @pytest.mark.parametrize("scope", ["admin", "approvals", "openid", "profile", "scim"])
    def test_a_scope_of_the_server_itself_is_refused(self, world: World, scope: str) -> None:
        members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
        answer = register(world.metadata, scope=f"calendar:read {scope}", **members)
        assert outcome(answer) == (400, "invalid_client_metadata")

    def test_it_gets_no_token(self, world: World) -> None:
        agent, _ = register_itself(world, **BOASTS)
        for params in (
            {"grant_type": "client_credentials"},
            {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43},
        ):
            assert outcome(agent.post("token_endpoint", **params)) == (401, "invalid_client")
        assert outcome(agent.exchange("x")) == (401, "invalid_client")
        assert outcome(agent.introspect("x")) == (401, "invalid_client")

    def test_it_cannot_ask_a_person(self, world: World) -> None:
        agent, _ = register_itself(world)
        asked = {"redirect_uri": CALLBACK, "scope": "calendar:read", "resource": None}
        url = authorize_url(world.metadata, agent.client_id, pkce()[1], **asked)
        answer = world.browser().get(url)
        assert answer.status_code == 400
        assert "Location" not in answer.headers

    def test_nothing_is_handed_over_to_it(self, world: World) -> None:
        agent, _ = register_itself(world)
        world.register("lister", delegates_to=frozenset({agent.client_id}))
        asked = {"audience": agent.client_id, "scope": "calendar:read"}
        refused = world.agent("lister").exchange(world.hold("lister"), **asked)
        assert outcome(refused) == (400, "invalid_target")

    @pytest.mark.parametrize("scope", ["made:up", "admin", "approvals", "scim"])
    def test_adopted_it_has_no_scope_that_it_made_up(self, world: World, scope: str) -> None:
        agent, _ = register_itself(world, **BOASTS)
        world.start(agent.client_id)
        asked = {"grant_type": "client_credentials", "scope": scope}
        assert outcome(agent.post("token_endpoint", **asked)) == (400, "invalid_scope")

    def test_adopted_it_is_still_named_as_one_that_registered_itself(self, world: World) -> None:
        agent, _ = register_itself(world, scope="calendar:read", resources=[CALENDAR])
        world.start(agent.client_id)
        asked = {"redirect_uri": CALLBACK, "scope": "calendar:read", "resource": CALENDAR}
        url = authorize_url(world.metadata, agent.client_id, pkce()[1], **asked)
        page = world.browser().get(url)
        assert page.status_code == 200
        assert "registered itself" in page.text


class TestInitialAccessToken:
    """Without one a client registers itself; with one, it is a spawn token or refused."""

    @pytest.mark.parametrize("token", ["x", "dspw_unknown", "drft_x", "a.b.c"])
    def test_one_that_is_not_known_is_refused(self, world: World, token: str) -> None:
        members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
        answer = register(world.metadata, token, **members)
        assert outcome(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_an_access_token_is_none(self, world: World, hold: str) -> None:
        own = world.agent("planner").post("token_endpoint", grant_type="client_credentials")
        for token in (hold, own.json()["access_token"]):
            members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
            assert outcome(register(world.metadata, token, **members)) == (401, "invalid_token")

    @pytest.mark.parametrize("header", ["Basic eA==", "Bearer", "Bearer ", "dspw_x"])
    def test_another_header_is_refused(self, world: World, header: str) -> None:
        members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
        answer = http.post(
            world.metadata["registration_endpoint"],
            json=members,
            headers={"Authorization": header.strip()},
        )
        assert outcome(answer) == (401, "invalid_token")


def test_what_waits_is_bounded(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bounded")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, agents=Agents(max_pending=2)) as world:
        members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
        answers = [register(world.metadata, **members) for _ in range(3)]
    assert [a.status_code for a in answers[:2]] == [201, 201]
    status, error = outcome(answers[2])
    assert status >= 400
    assert error != "invalid_token"  # there was none


def test_giving_up_makes_no_room_for_another(tmp_path_factory: pytest.TempPathFactory) -> None:
    """RFC 7592 §2.3 lets anybody retire what they registered: the rows are kept all the same."""
    folder = tmp_path_factory.mktemp("giving-up")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, agents=Agents(max_pending=1)) as world:
        members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
        told = register(world.metadata, **members).json()
        bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}
        assert http.delete(told["registration_client_uri"], headers=bearer).status_code == 204
        assert register(world.metadata, **members).status_code == 503


def test_what_was_adopted_does_not_wait_any_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("adopting")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, agents=Agents(max_pending=1)) as world:
        for _ in range(2):
            agent, _ = register_itself(world)
            world.edit(agent.client_id, owner="ben")
            world.start(agent.client_id)


def test_where_it_is_off_it_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("refusing")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, agents=Agents(self_registered="refuse")) as world:
        members = {"redirect_uris": [CALLBACK], "jwks": jwks(new_key())}
        assert register(world.metadata, **members).status_code in (401, 403)
        child = world.spawn("planner", world.hold(), "calendar:read")
        assert child
