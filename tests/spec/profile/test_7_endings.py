"""Endings: each ends the tree below it in one transaction, and nothing comes back."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deputize.agents.lifecycle import Status
from support.agents_http import decode, jwks, new_key, outcome
from support.world import CALENDAR, World, read_form

pytestmark = pytest.mark.section("Deputize profile", "7")

SCOPE = "calendar:read"
INACTIVE = {"active": False}


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


class Tree:
    """top → mid → low, and a child that mid spawned; each with a token for the calendar."""

    _made = 0

    def __init__(self, world: World, person: str = "ana", **top: Any) -> None:
        Tree._made += 1
        self.world, self.person, n = world, person, Tree._made
        self.top, self.mid, self.low = (f"{name}-{n}" for name in ("top", "mid", "low"))
        world.register(self.top, **{"delegates_to": frozenset({self.mid, self.low}), **top})
        world.register(self.mid, delegates_to=frozenset({self.low, "spawned"}))
        world.register(self.low)
        pass_on = (self.mid, self.low, "spawned")
        self.granted = world.consent(self.top, person, pass_on=pass_on).json()
        self.holds = {self.top: self.granted["access_token"]}
        both = f"{SCOPE} agents:spawn"
        self.hand(self.top, self.mid, both)
        self.hand(self.mid, self.low, SCOPE)
        self.tokens = {
            name: world.agent(name).exchange(hold, resource=CALENDAR).json()["access_token"]
            for name, hold in self.holds.items()
        }

    def hand(self, giver: str, taker: str, scope: str) -> None:
        self.holds[taker] = self.world.hand_over(self.holds[giver], giver, taker, scope)

    def served(self) -> set[str]:
        """Return whose tokens the calendar is told are good."""
        return {name for name, token in self.tokens.items() if self.world.is_active(token)}

    def alive(self) -> set[str]:
        """Return the same, having seen that the others' holds are good for nothing either."""
        served = self.served()
        for name in self.tokens.keys() - served:
            refused = self.world.agent(name).exchange(self.holds[name])
            assert refused.status_code in (400, 401)
        return served

    @property
    def root_id(self) -> str:
        return str(decode(self.holds[self.top])[1]["delegation_id"])


@pytest.fixture
def tree(world: World) -> Tree:
    made = Tree(world)
    assert made.alive() == {made.top, made.mid, made.low}
    return made


class TestWhatEnds:
    """By each way in which authority ends: what is below, and nothing beside."""

    def test_a_delegation_that_its_agent_gives_up(self, world: World, tree: Tree) -> None:
        world.agent(tree.mid).revoke(tree.holds[tree.mid])
        assert tree.alive() == {tree.top}

    @pytest.mark.parametrize("status", [Status.SUSPENDED, Status.RETIRED, Status.PENDING])
    @pytest.mark.parametrize(("which", "left"), [("top", ""), ("mid", "top"), ("low", "top mid")])
    def test_an_agent_that_is_stopped(
        self, world: World, tree: Tree, status: Status, which: str, left: str
    ) -> None:
        world.stop(getattr(tree, which), status)
        assert tree.alive() == {getattr(tree, name) for name in left.split()}

    def test_a_new_owner(self, world: World, tree: Tree) -> None:
        world.edit(tree.mid, owner="eve")
        assert tree.alive() == {tree.top}

    def test_not_keys_that_an_administrator_replaced(self, world: World, tree: Tree) -> None:
        key = world.keys[tree.mid] = new_key()
        world.edit(tree.mid, jwks=json.dumps(jwks(key)))
        assert tree.alive() == {tree.top, tree.mid, tree.low}

    def test_a_person_who_leaves(self, world: World) -> None:
        tree, other = Tree(world, "eve"), Tree(world, "ana")
        world.leave("eve")
        assert tree.alive() == set()
        assert other.alive() == {other.top, other.mid, other.low}

    def test_the_person_who_ends_it_on_the_page(self, world: World, tree: Tree) -> None:
        browser = world.browser(tree.person)
        page = f"{world.metadata['agents_page']}/{tree.root_id}/end"
        form = read_form(browser.get(page).text)
        assert tree.alive() == {tree.top, tree.mid, tree.low}  # a GET ends nothing
        answer = browser.post(form.pop("action")[0], data=form)
        assert answer.status_code == 303
        assert tree.alive() == set()

    @pytest.mark.parametrize("stranger", ["ben", None])
    def test_nobody_else_on_the_page(self, world: World, tree: Tree, stranger: str | None) -> None:
        own = world.browser(tree.person)
        page = f"{world.metadata['agents_page']}/{tree.root_id}/end"
        form = read_form(own.get(page).text)
        action = form.pop("action")[0]
        world.browser(stranger).post(action, data=form)
        own.post(action, data={})
        assert tree.alive() == {tree.top, tree.mid, tree.low}

    def test_the_time_that_the_person_granted(self, world: World) -> None:
        tree = Tree(world)
        world.pass_time(8 * 3600 + 1)
        assert tree.alive() == set()

    @pytest.mark.parametrize(
        ("members", "left"),
        [
            ({"scope": frozenset({"flights:search"})}, ""),
            ({"resources": frozenset()}, ""),
            ({"max_delegation_depth": 2}, "top mid"),
            ({"max_delegation_depth": 1}, "top"),
            ({"delegates_to": frozenset()}, "top"),
            ({"expires_at": 1_700_000_001}, ""),
            ({"name": "Another", "purpose": "Something else"}, "top mid low"),
        ],
        ids=lambda of: str(of)[:40],
    )
    def test_an_edit_that_takes_what_they_hold(
        self, world: World, tree: Tree, members: dict[str, Any], left: str
    ) -> None:
        world.edit(tree.top, **members)
        assert tree.served() == {getattr(tree, name) for name in left.split()}

    def test_an_edit_in_the_middle(self, world: World, tree: Tree) -> None:
        world.edit(tree.mid, scope=frozenset({"agents:spawn"}))
        assert tree.served() == {tree.top}


class TestFinal:
    """What ended stays ended."""

    def test_though_its_agent_is_resumed(self, world: World, tree: Tree) -> None:
        world.stop(tree.mid)
        world.start(tree.mid)
        assert tree.alive() == {tree.top}

    def test_though_its_person_comes_back(self, world: World) -> None:
        tree = Tree(world, "eve")
        world.leave("eve")
        again = Tree(world, "eve")
        assert tree.alive() == set()
        assert again.alive() == {again.top, again.mid, again.low}

    def test_though_its_agent_is_given_back_what_was_taken(self, world: World, tree: Tree) -> None:
        everything = frozenset({"calendar:read", "calendar:write", "flights:search"})
        world.edit(tree.top, scope=frozenset({"flights:search"}))
        world.edit(tree.top, scope=everything | {"agents:spawn", "tasks"})
        assert tree.served() == set()

    def test_though_its_agents_end_is_moved(self, world: World, tree: Tree) -> None:
        world.edit(tree.top, expires_at=1_700_000_001)
        world.edit(tree.top, expires_at=4_000_000_000)
        assert tree.alive() == set()

    def test_a_refresh_token_does_not_bring_it_back(self, world: World, tree: Tree) -> None:
        world.agent(tree.top).revoke(tree.holds[tree.top])
        refreshed = world.agent(tree.top).post(
            "token_endpoint",
            grant_type="refresh_token",
            refresh_token=tree.granted["refresh_token"],
        )
        assert outcome(refreshed) == (400, "invalid_grant")

    def test_the_same_request_as_before_makes_a_new_node(self, world: World) -> None:
        tree = Tree(world)
        top = world.agent(tree.top)
        old = tree.tokens[tree.top]
        top.revoke(old)
        new = top.exchange(tree.holds[tree.top], resource=CALENDAR).json()["access_token"]
        assert decode(new)[1]["delegation_id"] != decode(old)[1]["delegation_id"]
        assert not world.is_active(old)


class TestTold:
    """Every ending leaves its event, once."""

    def test_a_root_ends_its_task(self, world: World, tree: Tree) -> None:
        task_id = decode(tree.holds[tree.top])[1]["task_id"]
        world.agent(tree.top).revoke(tree.holds[tree.top])
        ended = [e for e in world.events("task.ended") if e["task_id"] == task_id]
        assert len(ended) == 1

    def test_a_node_does_not(self, world: World, tree: Tree) -> None:
        task_id = decode(tree.holds[tree.top])[1]["task_id"]
        world.agent(tree.mid).revoke(tree.holds[tree.mid])
        assert not [e for e in world.events("task.ended") if e["task_id"] == task_id]

    def test_how_many_ended_and_why(self, world: World, tree: Tree) -> None:
        world.agent(tree.top).revoke(tree.holds[tree.top])
        (told,) = [
            e for e in world.events("delegation.ended") if e["delegation_id"] == tree.root_id
        ]
        assert told["facts"]["why"] == "revoked"
        assert told["facts"]["nodes"] >= 6


class TestNoPhantomChild:
    """After an end has returned, nothing below it is alive, and nothing can be made."""

    @pytest.mark.parametrize("ending", ["revoke", "suspend", "leave"])
    def test_exchange_beside_an_ending(self, world: World, ending: str) -> None:
        tree = Tree(world, "eve")
        ends: dict[str, Callable[[], Any]] = {
            "revoke": lambda: world.agent(tree.top).revoke(tree.holds[tree.top]),
            "suspend": lambda: world.stop(tree.top),
            "leave": lambda: world.leave("eve"),
        }
        low, hold = world.agent(tree.low), tree.holds[tree.low]
        made: list[str] = []

        def exchange(n: int) -> None:
            params = {"resource": CALENDAR} if n % 2 else {"scope": SCOPE}
            answer = low.exchange(hold, **params)
            if answer.status_code == 200:
                made.append(answer.json()["access_token"])

        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(exchange, n) for n in range(12)]
            ended = pool.submit(ends[ending])
            asked += [pool.submit(exchange, n) for n in range(12)]
            ended.result()
            after_the_end = low.exchange(hold)
            for future in asked:
                future.result()
        assert outcome(after_the_end) == (400, "invalid_request")
        assert [t for t in made if low.introspect(t).json() != INACTIVE] == []
