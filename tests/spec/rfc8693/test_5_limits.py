"""What bounds a tree: depth, no agent twice, and how many nodes one agent makes in a task."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deputize.settings import Delegation
from support.agents_http import decode, outcome
from support.world import CALENDAR, FLIGHTS, World, running_world

pytestmark = pytest.mark.section("RFC 8693", "5")

SCOPE = "calendar:read"
MAX_NODES = 6


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    limits = Delegation(max_nodes=MAX_NODES, max_depth=3)
    with running_world(module_database_url, folder, delegation=limits) as running:
        for name in ("one", "two", "three", "four"):
            running.register(name, delegates_to=frozenset({"one", "two", "three", "four"}))
        yield running


def hand(world: World, token: str, giver: str, taker: str) -> str:
    given = world.agent(giver).exchange(token, audience=taker, scope=SCOPE)
    assert given.status_code == 200, given.text
    return str(given.json()["access_token"])


def spend(world: World, token: str) -> None:
    """Let agent one make all the nodes that it may."""
    for taker in ("two", "three", "four"):
        for scope in (SCOPE, "calendar:write"):
            world.agent("one").exchange(token, audience=taker, scope=scope)


class TestDepth:
    """The number of agents in a chain is bound by the tightest of them, and by the server."""

    def test_the_servers_own_bound(self, world: World) -> None:
        token = world.hold("one")
        token = world.hand_over(token, "one", "two", SCOPE)
        token = world.hand_over(token, "two", "three", SCOPE)
        given = hand(world, token, "three", "four")
        refusal = world.refused(world.agent("four").exchange, given)
        assert refusal == (400, "invalid_request", "chain.too_deep")

    def test_an_older_agents_bound(self, world: World) -> None:
        world.register("shallow", max_delegation_depth=2, delegates_to=frozenset({"two", "three"}))
        token = world.hand_over(world.hold("shallow"), "shallow", "two", SCOPE)
        given = hand(world, token, "two", "three")
        assert outcome(world.agent("three").exchange(given)) == (400, "invalid_request")

    def test_an_agent_that_may_hand_over_to_nobody(self, world: World) -> None:
        world.register("alone", max_delegation_depth=1, delegates_to=frozenset({"two"}))
        given = hand(world, world.hold("alone"), "alone", "two")
        assert outcome(world.agent("two").exchange(given)) == (400, "invalid_request")

    def test_the_takers_own_bound(self, world: World) -> None:
        world.register("first-only", max_delegation_depth=1)
        world.register("hander", delegates_to=frozenset({"first-only"}))
        given = hand(world, world.hold("hander"), "hander", "first-only")
        refusal = world.refused(world.agent("first-only").exchange, given)
        assert refusal == (400, "invalid_request", "chain.too_deep")

    def test_a_bound_in_the_middle_binds_what_is_below(self, world: World) -> None:
        world.register("middle", max_delegation_depth=2, delegates_to=frozenset({"three"}))
        world.register("top", delegates_to=frozenset({"middle", "three"}))
        token = world.hand_over(world.hold("top"), "top", "middle", SCOPE)
        given = hand(world, token, "middle", "three")
        assert outcome(world.agent("three").exchange(given)) == (400, "invalid_request")

    def test_narrowing_is_no_depth(self, world: World) -> None:
        token = world.hold("one")
        for params in ({"resource": CALENDAR}, {"scope": SCOPE}, {}):
            token = world.agent("one").exchange(token, **params).json()["access_token"]
        assert "act" not in decode(token)[1]["act"]


class TestAgentTwice:
    """An agent stands only once in a chain."""

    def test_back_to_the_giver(self, world: World) -> None:
        taken = world.hand_over(world.hold("one"), "one", "two", SCOPE)
        given = hand(world, taken, "two", "one")
        refusal = world.refused(world.agent("one").exchange, given)
        assert refusal == (400, "invalid_request", "chain.agent_twice")

    def test_nor_with_others_in_between(self, world: World) -> None:
        token = world.hand_over(world.hold("one"), "one", "two", SCOPE)
        token = world.hand_over(token, "two", "three", SCOPE)
        given = hand(world, token, "three", "one")
        assert outcome(world.agent("one").exchange(given)) == (400, "invalid_request")


class TestNodes:
    """Nodes made per agent and task are capped; leases on a node are not counted."""

    def test_leases_are_not_counted(self, world: World) -> None:
        token = world.hold("one")
        for _ in range(MAX_NODES + 2):
            assert world.agent("one").exchange(token).status_code == 200
            assert world.agent("one").exchange(token, resource=CALENDAR).status_code == 200

    def test_nodes_are(self, world: World) -> None:
        one, token = world.agent("one"), world.hold("one")
        for taker in ("two", "three", "four"):
            assert one.exchange(token, audience=taker, scope=SCOPE).status_code == 200
        assert one.exchange(token, resource=CALENDAR).status_code == 200
        assert one.exchange(token, resource=FLIGHTS).status_code == 200
        refusal = world.refused(one.exchange, token, resource=CALENDAR, scope=SCOPE)
        assert refusal == (400, "invalid_request", "quota.nodes")

    def test_the_cap_is_each_agents_and_each_tasks_own(self, world: World) -> None:
        one, first, second = world.agent("one"), world.hold("one"), world.hold("one")
        taken = world.hand_over(first, "one", "two", SCOPE)
        spend(world, first)
        assert outcome(one.exchange(first, resource=FLIGHTS)) == (400, "invalid_request")
        assert one.exchange(second, resource=FLIGHTS).status_code == 200
        assert world.agent("two").exchange(taken, resource=CALENDAR).status_code == 200

    def test_of_many_at_once_for_the_same_one_is_made(self, world: World) -> None:
        one, token = world.agent("one"), world.hold("one")
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(one.exchange, token, resource=CALENDAR) for _ in range(16)]
            answers = [future.result() for future in asked]
        assert {a.status_code for a in answers} == {200}
        nodes = {decode(a.json()["access_token"])[1]["delegation_id"] for a in answers}
        assert len(nodes) == 1

    def test_under_a_rush_the_cap_holds(self, world: World) -> None:
        one, token = world.agent("one"), world.hold("one")
        asked = [
            {"audience": taker, "scope": scope}
            for taker in ("two", "three", "four")
            for scope in (SCOPE, "calendar:write", f"{SCOPE} calendar:write")
        ]
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(one.exchange, token, **params) for params in asked]
            answers = [future.result().status_code for future in futures]
        assert answers.count(200) == MAX_NODES - 1  # the root is one

    def test_a_refused_one_is_not_counted(self, world: World) -> None:
        one, token = world.agent("one"), world.hold("one")
        for _ in range(MAX_NODES):
            assert one.exchange(token, resource=CALENDAR, scope="flights:search").is_error
        assert one.exchange(token, resource=CALENDAR).status_code == 200
