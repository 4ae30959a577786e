"""The spawned agent: it has what it is handed and no more, and dies with what it was made for."""

import pytest
from joserfc.jwk import ECKey

from support.agents_http import (
    Agent,
    decode,
    outcome,
    pkce,
)
from support.world import CALENDAR, FLIGHTS, World, authorize_url

pytestmark = pytest.mark.section("RFC 7591", "3")

SCOPE = "calendar:read"


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def is_alive(world: World, client_id: str) -> bool:
    """Tell whether the agent still authenticates."""
    return world.agent(client_id).introspect("x").status_code == 200


class TestChild:
    """It exchanges and does nothing else, and has what it is handed and no more."""

    @pytest.fixture
    def child(self, world: World, root: str) -> Agent:
        return world.agent(world.spawn("planner", root, f"{SCOPE} agents:spawn"))

    def test_it_is_handed_authority_like_every_agent(
        self, world: World, root: str, child: Agent
    ) -> None:
        taken = world.hand_over(root, "planner", child.client_id, SCOPE)
        token = child.exchange(taken, resource=CALENDAR).json()["access_token"]
        assert world.is_active(token)
        assert decode(token)[1]["act"]["act"]["sub"] == "planner"

    def test_it_has_nothing_before(self, world: World, root: str, child: Agent) -> None:
        assert outcome(child.exchange(root)) == (400, "invalid_request")
        assert child.introspect(root).json() == {"active": False}

    @pytest.mark.parametrize(
        "params",
        [
            {"grant_type": "client_credentials"},
            {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43},
            {"grant_type": "refresh_token", "refresh_token": "x"},
        ],
        ids=lambda params: params["grant_type"],
    )
    def test_it_uses_no_other_grant(self, child: Agent, params: dict[str, str]) -> None:
        assert outcome(child.post("token_endpoint", **params)) == (400, "unauthorized_client")

    @pytest.mark.parametrize("redirect_uri", [None, "https://scout.example/callback"])
    def test_it_asks_no_person(self, world: World, child: Agent, redirect_uri: str | None) -> None:
        url = authorize_url(world.metadata, child.client_id, pkce()[1], redirect_uri=redirect_uri)
        assert world.browser().get(url).status_code == 400

    def test_it_has_no_other_grant_though_it_asks(
        self, world: World, spawn_token: str, key: ECKey
    ) -> None:
        said = {
            "grant_types": ["client_credentials", "authorization_code", "refresh_token"],
            "redirect_uris": ["https://scout.example/callback"],
        }
        told = world.agent("planner").register_child(spawn_token, key, **said).json()
        assert told["grant_types"] == [
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:openid:params:grant-type:ciba",
        ]
        assert "redirect_uris" not in told

    def test_its_ceiling_is_what_the_parent_said(
        self, world: World, root: str, child: Agent
    ) -> None:
        asked = {"audience": child.client_id, "scope": "calendar:read flights:search"}
        given = world.agent("planner").exchange(root, **asked)
        refused = child.exchange(given.json()["access_token"], scope="flights:search")
        assert outcome(refused) == (400, "invalid_scope")
        assert outcome(child.exchange(given.json()["access_token"], resource=FLIGHTS)) in (
            (400, "invalid_scope"),
            (400, "invalid_target"),
        )

    def test_it_spawns_where_it_was_handed_that(
        self, world: World, root: str, child: Agent
    ) -> None:
        taken = world.hand_over(root, "planner", child.client_id, f"{SCOPE} agents:spawn")
        grandchild = world.spawn(child.client_id, taken, SCOPE)
        held = world.hand_over(taken, child.client_id, grandchild, SCOPE)
        act = decode(held)[1]["act"]
        assert [act["sub"], act["act"]["sub"]] == [grandchild, child.client_id]

    def test_a_grandchild_is_not_its_grandparents_to_name(
        self, world: World, root: str, child: Agent
    ) -> None:
        taken = world.hand_over(root, "planner", child.client_id, f"{SCOPE} agents:spawn")
        grandchild = world.spawn(child.client_id, taken, SCOPE)
        asked = {"audience": grandchild, "scope": SCOPE}
        assert outcome(world.agent("planner").exchange(root, **asked)) == (400, "invalid_target")

    def test_a_key_of_its_own_is_all_it_has(self, world: World, child: Agent) -> None:
        as_parent = Agent(child.client_id, world.metadata, key=world.keys["planner"])
        assert outcome(as_parent.introspect("x")) == (401, "invalid_client")


class TestDeath:
    """It dies with its parent's node, or its task, and takes with it what it held."""

    def test_with_the_node_it_was_spawned_by(self, world: World, root: str) -> None:
        planner = world.agent("planner")
        both = f"{SCOPE} agents:spawn"
        narrow = planner.exchange(root, scope=both).json()["access_token"]
        child, other = world.spawn("planner", narrow, SCOPE), world.spawn("planner", root, SCOPE)
        taken = world.hand_over(root, "planner", child, SCOPE)
        planner.revoke(narrow)
        assert not is_alive(world, child)
        assert is_alive(world, other)
        assert outcome(world.agent(child).exchange(taken)) == (401, "invalid_client")
        assert outcome(world.agent(other).exchange(taken)) == (400, "invalid_request")

    def test_what_it_held_elsewhere_in_the_task_ends_too(self, world: World, root: str) -> None:
        planner = world.agent("planner")
        narrow = planner.exchange(root, scope=f"{SCOPE} agents:spawn").json()["access_token"]
        child = world.spawn("planner", narrow, SCOPE)
        taken = world.hand_over(root, "planner", child, SCOPE)
        token = world.agent(child).exchange(taken, resource=CALENDAR).json()["access_token"]
        assert world.is_active(token)
        planner.revoke(narrow)
        assert not world.is_active(token)

    def test_with_its_task(self, world: World, root: str) -> None:
        child = world.spawn("planner", root, f"{SCOPE} agents:spawn")
        taken = world.hand_over(root, "planner", child, f"{SCOPE} agents:spawn")
        grandchild = world.spawn(child, taken, SCOPE)
        world.agent("planner").revoke(root)
        assert not is_alive(world, child)
        assert not is_alive(world, grandchild)

    @pytest.mark.parametrize("status", ["suspended", "retired"])
    def test_with_its_parent(self, world: World, status: str) -> None:
        world.register(f"parent-{status}")
        root = world.hold(f"parent-{status}")
        child = world.spawn(f"parent-{status}", root, SCOPE)
        world.stop(f"parent-{status}", status)  # type: ignore[arg-type]
        assert not is_alive(world, child)

    def test_for_good_though_its_parent_is_resumed(self, world: World) -> None:
        world.register("resumed")
        child = world.spawn("resumed", world.hold("resumed"), SCOPE)
        world.stop("resumed")
        world.start("resumed")
        assert not is_alive(world, child)

    def test_with_its_person(self, world: World) -> None:
        child = world.spawn("planner", world.hold(person="eve"), SCOPE)
        world.leave("eve")
        assert not is_alive(world, child)

    def test_with_its_parents_grant_of_spawning(self, world: World) -> None:
        world.register("lender")
        child = world.spawn("lender", world.hold("lender"), SCOPE)
        world.edit("lender", owner="eve")
        assert not is_alive(world, child)

    def test_with_the_time_that_was_granted(self, world: World) -> None:
        child = world.spawn("planner", world.hold(until=900), SCOPE)
        world.pass_time(901)
        assert not is_alive(world, child)

    def test_by_itself_it_ends_with_what_it_held(self, world: World, root: str) -> None:
        child = world.spawn("planner", root, SCOPE)
        taken = world.hand_over(root, "planner", child, SCOPE)
        world.stop(child, "retired")  # type: ignore[arg-type]
        assert not is_alive(world, child)
        assert outcome(world.agent("planner").exchange(taken)) == (400, "invalid_request")
