"""Registering a child: the spawn token is the initial access token, used once within a minute."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from deputize.settings import Agents
from support.agents_http import (
    decode,
    jwks,
    new_key,
    outcome,
)
from support.world import World, running_world

pytestmark = pytest.mark.section("RFC 7591", "3")

MAX_SPAWNED = 40
SCOPE = "calendar:read"
METADATA = (400, "invalid_client_metadata")
BAD_TOKEN = (401, "invalid_token")


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with running_world(
        module_database_url, folder, agents=Agents(max_spawned=MAX_SPAWNED)
    ) as running:
        yield running


class TestRegistration:
    """With the key that the token names, within the scope that it allows."""

    @staticmethod
    def say(world: World, token: str, key: ECKey, **members: Any) -> httpx.Response:
        return world.agent("planner").register_child(token, key, **members)

    def test_the_answer_tells_what_the_child_is(
        self, world: World, root: str, spawn_token: str, key: ECKey
    ) -> None:
        answer = self.say(world, spawn_token, key, client_name="planner", agent_owner="eve")
        told = answer.json()
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        assert told["client_type"] == "agent"
        assert told["agent_parent"] == "planner"
        assert told["agent_owner"] == "ben"
        assert told["scope"] == SCOPE
        assert isinstance(told["agent_expires_at"], int)
        assert told["agent_expires_at"] > decode(root)[1]["exp"]
        assert told["token_endpoint_auth_method"] == "private_key_jwt"
        assert "client_secret" not in told

    def test_the_name_is_made_by_the_server_from_the_parents(
        self, world: World, spawn_token: str, key: ECKey
    ) -> None:
        said = {"client_id": "planner-2", "client_name": "Your bank", "agent_status": "active"}
        told = self.say(world, spawn_token, key, **said).json()
        assert told["client_id"] != "planner-2"
        assert told["client_id"].startswith("planner.")
        assert told["client_name"].startswith("planner")
        assert "bank" not in told["client_name"]

    def test_it_expires_within_its_parent(self, world: World, key: ECKey) -> None:
        root = world.hold(until=900)
        token = world.agent("planner").ask_to_spawn(root, SCOPE, key).json()["access_token"]
        told = self.say(world, token, key, agent_expires_at=2**39).json()
        assert told["agent_expires_at"] <= decode(root)[1]["iat"] + 900

    def test_another_key_is_refused(self, world: World, spawn_token: str) -> None:
        assert outcome(self.say(world, spawn_token, new_key())) == METADATA
        assert outcome(self.say(world, spawn_token, world.keys["planner"])) == METADATA

    @pytest.mark.parametrize(
        "members",
        [
            {"jwks": {"keys": []}},
            {"jwks": None},
            {"jwks_uri": "https://evil.example/jwks"},
            {"jwks": None, "jwks_uri": "https://evil.example/jwks"},
            {"jwks": None, "token_endpoint_auth_method": "none"},
            {"jwks": None, "token_endpoint_auth_method": "client_secret_basic"},
            {"scope": "calendar:read calendar:write"},
            {"scope": "calendar:read agents:spawn"},
            {"scope": "admin"},
        ],
        ids=str,
    )
    def test_no_key_or_more_scope_is_refused(
        self, world: World, spawn_token: str, key: ECKey, members: dict[str, Any]
    ) -> None:
        assert outcome(self.say(world, spawn_token, key, **members)) == METADATA

    def test_a_second_key_beside_the_right_one_is_refused(
        self, world: World, spawn_token: str, key: ECKey
    ) -> None:
        both = {"keys": [jwks(key)["keys"][0], jwks(new_key())["keys"][0]]}
        assert outcome(self.say(world, spawn_token, key, jwks=both)) == METADATA

    def test_a_refused_registration_does_not_use_the_token(
        self, world: World, spawn_token: str, key: ECKey
    ) -> None:
        """Or whoever sees it on its way could spoil it."""
        assert self.say(world, spawn_token, new_key()).is_client_error
        assert self.say(world, spawn_token, key).status_code == 201

    def test_it_is_used_once(self, world: World, spawn_token: str, key: ECKey) -> None:
        assert self.say(world, spawn_token, key).status_code == 201
        assert outcome(self.say(world, spawn_token, key)) == BAD_TOKEN

    def test_of_many_at_once_one_wins(self, world: World, spawn_token: str, key: ECKey) -> None:
        with ThreadPoolExecutor(6) as pool:
            answers = list(
                pool.map(lambda _: self.say(world, spawn_token, key).status_code, range(6))
            )
        assert sorted(answers) == [201, *[401] * 5]

    def test_after_a_minute_it_is_good_no_more(
        self, world: World, spawn_token: str, key: ECKey
    ) -> None:
        world.pass_time(60)
        assert outcome(self.say(world, spawn_token, key)) == BAD_TOKEN

    def test_nor_once_the_parents_node_ended(
        self, world: World, root: str, spawn_token: str, key: ECKey
    ) -> None:
        world.agent("planner").revoke(root)
        assert outcome(self.say(world, spawn_token, key)) == BAD_TOKEN

    def test_nor_once_the_parent_was_stopped(self, world: World, key: ECKey) -> None:
        world.register("stopped")
        root = world.hold("stopped")
        token = world.agent("stopped").ask_to_spawn(root, SCOPE, key).json()["access_token"]
        world.stop("stopped")
        assert outcome(self.say(world, token, key)) == BAD_TOKEN
        world.start("stopped")
        assert outcome(self.say(world, token, key)) == BAD_TOKEN

    def test_nor_once_the_person_may_not_act(self, world: World, key: ECKey) -> None:
        root = world.hold(person="eve")
        token = world.agent("planner").ask_to_spawn(root, SCOPE, key).json()["access_token"]
        world.host.inactive.add("eve")
        refused = self.say(world, token, key)
        world.host.inactive.remove("eve")
        assert outcome(refused) == BAD_TOKEN

    def test_what_shrank_meanwhile_is_not_the_childs(self, world: World, key: ECKey) -> None:
        world.register("shrinking")
        root = world.hold("shrinking")
        both = "calendar:read calendar:write"
        token = world.agent("shrinking").ask_to_spawn(root, both, key).json()["access_token"]
        world.edit("shrinking", scope=frozenset({"calendar:read", "agents:spawn"}))
        assert self.say(world, token, key).json()["scope"] == "calendar:read"


class TestQuota:
    """It counts the whole tree of the task, and what died in it."""

    def test_the_tree_is_counted_and_no_other(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("quota")
        url = f"sqlite:///{folder}/deputize.sqlite3"
        with running_world(url, folder, agents=Agents(max_spawned=2)) as world:
            both = f"{SCOPE} agents:spawn"
            root, key = world.hold(), new_key()
            child = world.spawn("planner", root, both)
            taken = world.hand_over(root, "planner", child, both)
            world.spawn(child, taken, SCOPE)
            for agent, token in (("planner", root), (child, taken)):
                allowed = world.agent(agent).ask_to_spawn(token, SCOPE, key)
                refused = (
                    world.agent(agent).register_child(allowed.json()["access_token"], key)
                    if allowed.status_code == 200
                    else allowed
                )
                assert refused.is_client_error
            assert world.spawn("planner", world.hold(), SCOPE)

    def test_under_a_rush_it_holds(self, world: World) -> None:
        root, planner = world.hold(), world.agent("planner")
        for _ in range(MAX_SPAWNED - 3):
            world.spawn("planner", root, SCOPE)
        keys = [new_key() for _ in range(6)]
        tokens = [planner.ask_to_spawn(root, SCOPE, k).json()["access_token"] for k in keys]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(planner.register_child, tokens, keys))
        assert [a.status_code for a in answers].count(201) == 3
