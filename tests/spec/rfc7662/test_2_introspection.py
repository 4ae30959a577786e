"""Introspection: each caller learns about what is for it, and of all else the same nothing."""

from typing import Any

import pytest

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope, retire_scope
from support.agents_http import Agent, decode, http, outcome
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 7662", "2")

INACTIVE = {"active": False}
APIS = ("calendar-api", "flights-api", "pay-api")
AGENTS = ("planner", "booker", "checker", "mallory")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def who_learns(world: World, token: str) -> set[str]:
    """Return who is told that `token` is active; all others are told exactly nothing."""
    callers = [world.api(name) for name in APIS] + [world.agent(name) for name in AGENTS]
    answers = {caller.client_id: caller.introspect(token).json() for caller in callers}
    assert all(told == INACTIVE for told in answers.values() if not told["active"])
    return {name for name, told in answers.items() if told["active"]}


class TestWhoLearnsWhat:
    """§2.2: a resource server about tokens for itself, an agent about its own and those to it."""

    def test_a_hold_is_its_agents(self, world: World, hold: str) -> None:
        assert who_learns(world, hold) == {"planner"}

    def test_a_token_for_a_resource_server_is_its_servers_and_its_agents(
        self, world: World, hold: str
    ) -> None:
        token = world.agent("planner").exchange(hold, resource=CALENDAR).json()["access_token"]
        assert who_learns(world, token) == {"planner", "calendar-api"}

    def test_a_hand_over_is_its_givers_and_its_takers(self, world: World, hold: str) -> None:
        given = world.agent("planner").exchange(hold, audience="booker", scope="calendar:read")
        assert who_learns(world, given.json()["access_token"]) == {"planner", "booker"}

    def test_what_was_taken_is_the_takers_alone(self, world: World, hold: str) -> None:
        taken = world.hand_over(hold, "planner", "booker", "calendar:read")
        assert who_learns(world, taken) == {"booker"}

    def test_an_agents_own_token_is_its_own_and_its_servers(self, world: World) -> None:
        own = world.agent("planner").post(
            "token_endpoint", grant_type="client_credentials", resource=CALENDAR
        )
        assert who_learns(world, own.json()["access_token"]) == {"planner", "calendar-api"}

    def test_a_refresh_token_is_its_agents(self, world: World) -> None:
        assert who_learns(world, world.consent().json()["refresh_token"]) == {"planner"}

    @pytest.mark.parametrize(
        "token",
        ["x", "a.b.c", "..", "drft_x", "dspw_x", "é", "a" * 20_000, "eyJhbGciOiJub25lIn0.e30."],
    )
    def test_of_what_is_none_nobody_learns(self, world: World, token: str) -> None:
        assert who_learns(world, token) == set()

    def test_a_resource_servers_claim_to_be_the_agent_is_none(
        self, world: World, hold: str
    ) -> None:
        claims = decode(hold)[1]
        for forged in ({"may_act": {"sub": "calendar-api"}}, {"client_id": "calendar-api"}):
            assert "calendar-api" not in who_learns(world, world.forge(claims | forged))

    def test_a_foreign_may_act_tells_nobody(self, world: World, hold: str) -> None:
        foreign = {"may_act": {"iss": "https://idp.example", "sub": "mallory"}}
        assert "mallory" not in who_learns(world, world.forge(decode(hold)[1] | foreign))


class TestActive:
    """What is told: every claim of the token, the scope as token ∩ delegation."""

    def test_every_claim_is_told(self, world: World, hold: str) -> None:
        taken = world.hand_over(hold, "planner", "booker", "calendar:read")
        token = world.agent("booker").exchange(taken, resource=CALENDAR).json()["access_token"]
        claims, told = decode(token)[1], world.api().introspect(token).json()
        assert told == claims | {"active": True, "token_type": "Bearer"}
        assert [told["act"]["sub"], told["act"]["act"]["sub"]] == ["booker", "planner"]
        assert told["sub"] == "ana"

    def test_nobody_may_store_it(self, world: World, hold: str) -> None:
        answer = world.agent("planner").introspect(hold)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"].startswith("application/json")

    @pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
    def test_a_hint_changes_nothing(self, world: World, hold: str, hint: str) -> None:
        answer = world.agent("planner").introspect(hold, token_type_hint=hint)
        assert answer.json()["active"]

    def test_what_a_narrower_token_lacks_is_not_told(self, world: World, hold: str) -> None:
        narrower = world.forge(decode(hold)[1] | {"scope": "calendar:read"})
        told = world.agent("planner").introspect(narrower).json()
        assert told["scope"] == "calendar:read"

    def test_it_writes_nothing(self, world: World, hold: str) -> None:
        token = world.agent("planner").exchange(hold, resource=CALENDAR).json()["access_token"]
        before = world.events()
        for _ in range(3):
            assert world.is_active(token)
        assert world.events() == before


class TestAfterAnEdit:
    """An edit that shrinks is told at once."""

    @staticmethod
    def token(world: World, client_id: str, **members: Any) -> str:
        world.register(client_id, **members)
        root = world.hold(client_id)
        answer = world.agent(client_id).exchange(root, resource=CALENDAR)
        return str(answer.json()["access_token"])

    def test_of_the_ceiling(self, world: World) -> None:
        token = self.token(world, "shrunk")
        world.edit("shrunk", scope=frozenset({"calendar:read"}))
        assert world.api().introspect(token).json()["scope"] == "calendar:read"

    def test_with_nothing_left_it_is_inactive(self, world: World) -> None:
        token = self.token(world, "emptied")
        world.edit("emptied", scope=frozenset({"flights:search"}))
        assert world.api().introspect(token).json() == INACTIVE

    def test_with_nothing_left_of_the_tokens_own_scope_too(self, world: World) -> None:
        token = self.token(world, "halved")
        narrower = world.forge(decode(token)[1] | {"scope": "calendar:write"})
        world.edit("halved", scope=frozenset({"calendar:read"}))
        assert world.api().introspect(narrower).json() == INACTIVE
        assert world.is_active(token)

    def test_without_its_audience_it_is_inactive(self, world: World) -> None:
        token = self.token(world, "moved")
        world.edit("moved", resources=frozenset({"https://flights.example"}))
        assert world.api().introspect(token).json() == INACTIVE

    def test_what_was_taken_and_given_back_stays_taken(self, world: World) -> None:
        everything = frozenset({"calendar:read", "calendar:write"})
        token = self.token(
            world, "wavering", scope=everything | {"flights:search", "tasks"} | {"agents:spawn"}
        )
        world.edit("wavering", scope=frozenset({"calendar:read"}))
        world.edit("wavering", scope=frozenset({"calendar:read", "calendar:write"}))
        assert world.api().introspect(token).json()["scope"] == "calendar:read"

    def test_a_resource_that_was_taken_and_given_back_stays_taken(self, world: World) -> None:
        token = self.token(world, "commuting")
        world.edit("commuting", resources=frozenset())
        world.edit("commuting", resources=frozenset({CALENDAR}))
        assert world.api().introspect(token).json() == INACTIVE

    def test_of_an_agent_down_the_chain_and_up(self, world: World) -> None:
        world.register("upper", delegates_to=frozenset({"lower"}))
        world.register("lower")
        taken = world.hand_over(
            world.hold("upper"), "upper", "lower", "calendar:read calendar:write"
        )
        token = world.agent("lower").exchange(taken, resource=CALENDAR).json()["access_token"]
        world.edit("upper", scope=frozenset({"calendar:write"}))
        assert world.api().introspect(token).json()["scope"] == "calendar:write"
        world.edit("lower", scope=frozenset({"calendar:read"}))
        assert world.api().introspect(token).json() == INACTIVE

    def test_a_scope_that_nobody_knows_any_more_is_not_told(self, world: World) -> None:
        share = Scope("calendar:share", CALENDAR, "Share your calendar")
        declare_scope(world.context.db, share)
        world.register("outdated", scope=frozenset({"calendar:read", "calendar:share"}))
        root = world.hold("outdated", scope="calendar:read calendar:share")
        token = world.agent("outdated").exchange(root, resource=CALENDAR).json()["access_token"]
        assert world.api().introspect(token).json()["scope"] == "calendar:read calendar:share"
        retire_scope(world.context.db, "calendar:share")
        assert world.api().introspect(token).json()["scope"] == "calendar:read"
        declare_scope(world.context.db, share)
        assert world.api().introspect(token).json()["scope"] == "calendar:read"


class TestInactive:
    """§2.2: "the authorization server MUST NOT include any additional information"."""

    def test_once_it_expired(self, world: World) -> None:
        token = world.hold()
        world.pass_time(301)
        assert world.agent("planner").introspect(token).json() == INACTIVE

    def test_a_refresh_token_that_was_used(self, world: World) -> None:
        token = world.consent().json()["refresh_token"]
        planner = world.agent("planner")
        planner.post("token_endpoint", grant_type="refresh_token", refresh_token=token)
        assert planner.introspect(token).json() == INACTIVE

    def test_a_spawn_token(self, world: World) -> None:
        planner = world.agent("planner")
        asked = planner.ask_to_spawn(world.hold(), "calendar:read", world.keys["planner"])
        assert who_learns(world, asked.json()["access_token"]) == set()


class TestCaller:
    """§2.1: "the endpoint MUST also require some form of authorization"."""

    def test_the_caller_authenticates(self, world: World) -> None:
        answer = http.post(world.metadata["introspection_endpoint"], data={"token": "x"})
        assert outcome(answer) == (401, "invalid_client")

    def test_a_public_client_authenticates_as_nobody(self, world: World) -> None:
        """It could tell from the answers which stolen tokens are alive."""
        world.register("on-device", token_endpoint_auth_method="none", jwks=None)
        public = Agent("on-device", world.metadata)
        token = world.consent("on-device", redeem_with=public).json()["access_token"]
        assert outcome(public.introspect(token)) == (401, "invalid_client")

    def test_a_token_is_asked_about(self, world: World) -> None:
        answer = world.api().post("introspection_endpoint")
        assert outcome(answer) == (400, "invalid_request")

    def test_a_get_asks_nothing(self, world: World, hold: str) -> None:
        answer = http.get(world.metadata["introspection_endpoint"], params={"token": hold})
        assert answer.status_code in (404, 405)
