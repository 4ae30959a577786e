"""The client configuration endpoint: an agent reads, changes and retires its registration."""

import json
from typing import Any

import pytest

from spec.rfc7592.conftest import DESCRIPTION, Registered
from support.agents_http import http, jwks, new_key, outcome
from support.world import CALENDAR, CALLBACK, World

pytestmark = pytest.mark.section("RFC 7592", "2")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


class TestToken:
    """§2: the registration access token, and nothing else, opens it."""

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    @pytest.mark.parametrize("token", ["dreg_", "dreg_wrong", "x" * 5000])
    def test_without_the_right_one_nothing_is_told(
        self, scout: Registered, method: str, token: str
    ) -> None:
        answer = scout.ask(method, {}, token=token)
        assert outcome(answer) == (401, "invalid_token")
        assert "Bearer" in answer.headers["WWW-Authenticate"]
        assert scout.ask("GET").status_code == 200

    def test_that_of_another_agent_is_not_good(self, scout: Registered, world: World) -> None:
        other = http.post(
            world.metadata["registration_endpoint"], json={**DESCRIPTION, "jwks": jwks(new_key())}
        )
        refused = scout.ask("GET", token=other.json()["registration_access_token"])
        assert outcome(refused) == (401, "invalid_token")

    @pytest.mark.parametrize("client_id", ["planner", "nobody", "calendar-api", "a%00b", "a/b"])
    def test_an_agent_that_has_none_is_answered_like_one_that_is_not_there(
        self, scout: Registered, world: World, client_id: str
    ) -> None:
        uri = f"{world.metadata['registration_endpoint']}/{client_id}"
        assert outcome(scout.ask("GET", uri=uri)) == (401, "invalid_token")

    def test_a_spawned_agent_gets_none(self, world: World) -> None:
        """PROTOCOL §1: throw-away, it changes nothing of itself."""
        key = new_key()
        allowed = world.agent("planner").ask_to_spawn(world.hold(), "calendar:read", key)
        born = world.agent("planner").register_child(allowed.json()["access_token"], key).json()
        assert "registration_access_token" not in born
        assert "registration_client_uri" not in born

    @pytest.mark.parametrize("method", ["POST", "PATCH", "OPTIONS"])
    def test_another_method_is_not_allowed(self, scout: Registered, method: str) -> None:
        answer = scout.ask(method, {})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT, DELETE")


class TestRead:
    """§2.1"""

    def test_it_is_told_what_it_registered(self, scout: Registered) -> None:
        answer = scout.ask("GET")
        assert outcome(answer) == (200, "none")
        assert answer.json() == scout.told

    def test_and_what_has_become_of_it(self, adopted: Registered) -> None:
        told = adopted.ask("GET").json()
        assert (told["agent_status"], told["agent_owner"]) == ("active", "ben")

    def test_its_secret_is_told_once(self, world: World) -> None:
        by_secret = {**DESCRIPTION, "token_endpoint_auth_method": "client_secret_basic"}
        answer = http.post(world.metadata["registration_endpoint"], json=by_secret)
        registered = Registered(world, new_key(), answer.json())
        assert registered.told["client_secret"]
        assert "client_secret" not in registered.ask("GET").json()


class TestUpdate:
    """§2.2: "valid values of client metadata fields in this request MUST replace"."""

    def test_while_it_waits_it_may_say_anything_new(self, scout: Registered) -> None:
        answer = scout.update(client_name="explorer", scope="calendar:read calendar:write")
        assert outcome(answer) == (200, "none")
        assert answer.json()["client_name"] == "explorer"
        assert scout.ask("GET").json()["scope"] == "calendar:read calendar:write"
        assert scout.status == "pending"

    def test_what_is_left_out_is_gone(self, scout: Registered) -> None:
        assert "agent_purpose" not in scout.update(agent_purpose=None).json()

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "planner"},
            {"client_id": None},
            {"registration_access_token": "x"},
            {"registration_client_uri": "https://scout.example"},
            {"client_id_issued_at": 1},
            {"client_secret_expires_at": 1},
            {"client_secret": "not-the-one-it-has-0123456789"},
            {"redirect_uris": ["http://scout.example/"]},
            {"redirect_uris": None},
            {"scope": "admin"},
            {"jwks": None},
            {"jwks_uri": "https://scout.example/jwks"},
        ],
    )
    def test_what_is_not_its_to_say_changes_nothing(
        self, scout: Registered, changes: dict[str, Any]
    ) -> None:
        answer = scout.update(**changes)
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_client_metadata", "invalid_redirect_uri")
        assert scout.ask("GET").json() == scout.told

    @pytest.mark.parametrize("body", [None, [], "x", 7])
    def test_what_is_no_object_is_refused(self, scout: Registered, body: Any) -> None:
        assert outcome(scout.ask("PUT", body)) == (400, "invalid_client_metadata")

    def test_its_own_words_change_nothing_else(self, adopted: Registered) -> None:
        hold = adopted.hold()
        assert adopted.update(software_version="2").json()["agent_status"] == "active"
        assert adopted.agent.introspect(hold).json()["active"] is True

    @pytest.mark.parametrize(
        "changes",
        [
            {"scope": "calendar:read calendar:write flights:search"},
            {"redirect_uris": [CALLBACK, "https://elsewhere.example/callback"]},
            {"delegates_to": ["booker"]},
            {"grant_types": ["authorization_code", "client_credentials"]},
            {"token_endpoint_auth_method": "client_secret_basic", "jwks": None},
            {"token_endpoint_auth_method": "none", "jwks": None},
            {
                "backchannel_token_delivery_mode": "push",
                "backchannel_client_notification_endpoint": "https://elsewhere.example/told",
            },
            {"jwks": jwks(new_key())},
        ],
    )
    def test_what_is_wider_or_another_key_waits_to_be_adopted_again(
        self, adopted: Registered, world: World, changes: dict[str, Any]
    ) -> None:
        """PROTOCOL §1: it "sets an agent back to pending and ends its delegations"."""
        taken = adopted.agent.exchange(adopted.hold(), resource=CALENDAR).json()["access_token"]
        assert world.is_active(taken)
        assert adopted.update(**changes).json()["agent_status"] == "pending"
        assert not world.is_active(taken)
        adopted.adopt()
        assert not world.is_active(taken)

    def test_who_no_longer_signs_what_it_asks_waits_to_be_adopted_again(
        self, adopted: Registered
    ) -> None:
        alg = "backchannel_authentication_request_signing_alg"
        assert adopted.update(**{alg: "ES256"}).json()["agent_status"] == "active"
        assert adopted.ask("GET").json()[alg] == "ES256"
        assert adopted.update().json()["agent_status"] == "pending"

    def test_and_who_no_longer_asks_by_a_code(self, adopted: Registered) -> None:
        name = "backchannel_user_code_parameter"
        assert adopted.update(**{name: True}).json()["agent_status"] == "active"
        assert adopted.update().json()["agent_status"] == "pending"

    def test_its_ceiling_is_what_was_adopted_not_what_it_first_asked_for(
        self, scout: Registered, world: World
    ) -> None:
        world.edit(scout.client_id, scope=frozenset({"calendar:read"}), owner="ben")
        world.start(scout.client_id)
        assert scout.update().json()["agent_status"] == "pending"

    def test_what_is_narrower_is_taken_out_of_what_it_holds(
        self, adopted: Registered, world: World
    ) -> None:
        hold = adopted.hold()
        assert adopted.update(scope="calendar:read").json()["agent_status"] == "active"
        assert adopted.agent.introspect(hold).json()["scope"] == "calendar:read"
        world.edit(adopted.client_id, scope=frozenset({"calendar:read", "flights:search"}))
        assert adopted.agent.introspect(hold).json()["scope"] == "calendar:read"

    def test_a_key_is_rotated_with_overlap_by_the_administrator(
        self, adopted: Registered, world: World
    ) -> None:
        """Both are good for a while, then the new one alone; what is held stays held."""
        hold, old, new = adopted.hold(), adopted.agent, new_key()
        both = {"keys": [*jwks(adopted.key)["keys"], *jwks(new)["keys"]]}
        world.edit(adopted.client_id, jwks=_text(both))
        adopted.key = new
        for agent in (old, adopted.agent):
            assert agent.introspect(hold).json()["active"] is True
        world.edit(adopted.client_id, jwks=_text(jwks(new)))
        assert outcome(old.introspect(hold)) == (401, "invalid_client")
        assert adopted.agent.introspect(hold).json()["active"] is True

    def test_stopped_it_changes_nothing(self, adopted: Registered, world: World) -> None:
        world.stop(adopted.client_id)
        assert outcome(adopted.update(jwks=jwks(new_key()))) == (403, "access_denied")
        assert adopted.ask("GET").json()["agent_status"] == "suspended"


class TestDelete:
    """§2.3"""

    def test_it_retires_itself_with_all_that_it_holds(
        self, adopted: Registered, world: World
    ) -> None:
        taken = adopted.agent.exchange(adopted.hold(), resource=CALENDAR).json()["access_token"]
        answer = adopted.ask("DELETE")
        assert (answer.status_code, answer.content) == (204, b"")
        assert adopted.status == "retired"
        assert not world.is_active(taken)

    def test_its_token_is_good_no_more(self, scout: Registered) -> None:
        assert scout.ask("DELETE").status_code == 204
        for method in ("GET", "PUT", "DELETE"):
            assert outcome(scout.ask(method, {})) == (401, "invalid_token")


def _text(keys: dict[str, Any]) -> str:
    return json.dumps(keys)
