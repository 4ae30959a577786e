"""The spawn token: an agent's leave to register one child, bound to the child's key.

So a stolen bearer never plants an agent.
"""

from typing import Any

import pytest
from joserfc.jwk import ECKey

from support.agents_http import (
    ACCESS_TOKEN,
    outcome,
    thumbprint,
)
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 7591", "3")

SCOPE = "calendar:read"


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


class TestSpawnToken:
    """An exchange of the agent's hold, for the registration endpoint."""

    def test_it_is_opaque_and_lives_a_minute(self, world: World, root: str, key: ECKey) -> None:
        answer = world.agent("planner").ask_to_spawn(root, SCOPE, key)
        told = answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert told["expires_in"] == 60
        assert told["scope"] == SCOPE
        assert told["access_token"].count(".") == 0
        assert "refresh_token" not in told

    def test_it_is_no_jwt_whatever_was_asked(self, world: World, root: str, key: ECKey) -> None:
        jwt = "urn:ietf:params:oauth:token-type:jwt"
        answer = world.agent("planner").ask_to_spawn(root, SCOPE, key, requested_token_type=jwt)
        assert answer.json().get("issued_token_type") != jwt

    def test_it_makes_no_node(self, world: World, root: str, key: ECKey) -> None:
        before = world.events("delegation.issued")
        world.agent("planner").ask_to_spawn(root, SCOPE, key)
        assert world.events("delegation.issued") == before
        assert world.events("agent.spawn_issued")

    @pytest.mark.parametrize(
        ("params", "error"),
        [
            ({"agent_jkt": None}, "invalid_request"),
            ({"agent_jkt": "short"}, "invalid_request"),
            ({"agent_jkt": "é" * 43}, "invalid_request"),
            ({"agent_jkt": "a" * 44}, "invalid_request"),
            ({"agent_jkt": ["a" * 43, "b" * 43]}, "invalid_request"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "flights:hold"}, "invalid_scope"),
            ({"scope": "calendar:delete"}, "invalid_scope"),
            ({"scope": "calendar:read tasks"}, "invalid_scope"),
            ({"scope": "admin"}, "invalid_scope"),
            ({"audience": "booker"}, "invalid_target"),
        ],
        ids=str,
    )
    def test_what_is_refused(
        self, world: World, root: str, key: ECKey, params: dict[str, Any], error: str
    ) -> None:
        planner = world.agent("planner")
        usual = {"resource": world.metadata["registration_endpoint"], "scope": SCOPE}
        usual["agent_jkt"] = thumbprint(key)
        answer = planner.exchange(root, **usual | params)
        assert outcome(answer) == (400, error)

    def test_a_sensitive_scope_may_be_the_childs_ceiling_only_by_its_name(
        self, world: World, root: str, key: ECKey
    ) -> None:
        answer = world.agent("planner").ask_to_spawn(root, "pay:transfer", key)
        assert outcome(answer) == (400, "invalid_scope")

    def test_the_token_holds_agents_spawn(self, world: World, key: ECKey) -> None:
        root = world.hold(untick=("agents:spawn",))
        refusal = world.refused(world.agent("planner").ask_to_spawn, root, SCOPE, key)
        assert refusal == (400, "invalid_scope", "scope.no_spawn")

    def test_a_narrowed_token_that_lost_it_does_not(
        self, world: World, root: str, key: ECKey
    ) -> None:
        planner = world.agent("planner")
        narrow = planner.exchange(root, scope=SCOPE).json()["access_token"]
        assert outcome(planner.ask_to_spawn(narrow, SCOPE, key)) == (400, "invalid_scope")

    def test_the_agent_holds_agents_spawn(self, world: World, key: ECKey) -> None:
        world.register("childless")
        root = world.hold("childless")
        world.edit("childless", scope=frozenset({"calendar:read"}))
        answer = world.agent("childless").ask_to_spawn(root, SCOPE, key)
        assert outcome(answer) == (400, "invalid_scope")

    def test_it_takes_the_hold_and_no_other_token(
        self, world: World, root: str, key: ECKey
    ) -> None:
        planner = world.agent("planner")
        for_calendar = planner.exchange(root, resource=CALENDAR).json()["access_token"]
        handed = planner.exchange(root, audience="booker", scope=f"agents:spawn {SCOPE}")
        assert outcome(planner.ask_to_spawn(for_calendar, SCOPE, key)) == (400, "invalid_request")
        asked = world.agent("booker").ask_to_spawn(handed.json()["access_token"], SCOPE, key)
        assert outcome(asked) == (400, "invalid_request")

    @pytest.mark.parametrize("thief", ["booker", "mallory"])
    def test_a_stolen_hold_spawns_nothing(
        self, world: World, root: str, key: ECKey, thief: str
    ) -> None:
        refused = world.agent(thief).ask_to_spawn(root, SCOPE, key)
        assert outcome(refused) == (400, "invalid_request")

    def test_after_the_delegation_ended_there_is_none(
        self, world: World, root: str, key: ECKey
    ) -> None:
        world.agent("planner").revoke(root)
        refused = world.agent("planner").ask_to_spawn(root, SCOPE, key)
        assert outcome(refused) == (400, "invalid_request")


class TestGoodForNothingElse:
    """A spawn token registers one child, and that is all."""

    def test_at_no_other_endpoint(self, world: World, spawn_token: str) -> None:
        planner = world.agent("planner")
        assert planner.introspect(spawn_token).json() == {"active": False}
        assert outcome(planner.exchange(spawn_token)) == (400, "invalid_request")
        refreshed = planner.post(
            "token_endpoint", grant_type="refresh_token", refresh_token=spawn_token
        )
        assert outcome(refreshed) == (400, "invalid_grant")

    def test_not_as_an_actor_token(self, world: World, root: str, spawn_token: str) -> None:
        answer = world.agent("planner").exchange(
            root, actor_token=spawn_token, actor_token_type=ACCESS_TOKEN
        )
        assert outcome(answer) == (400, "invalid_request")
