"""Refresh: only at the root, rotated at each use; reuse ends the delegation."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from support.agents_http import Agent, decode, outcome
from support.world import CALENDAR, FLIGHTS, PAY, World

pytestmark = pytest.mark.section("RFC 6749", "6")

BAD_GRANT = (400, "invalid_grant")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    world_on_each_engine.register("on-device", token_endpoint_auth_method="none", jwks=None)
    return world_on_each_engine


@pytest.fixture
def granted(world: World) -> dict[str, Any]:
    """Planner's first tokens."""
    answer: dict[str, Any] = world.consent().json()
    return answer


def refresh(agent: Agent, token: str, **params: Any) -> httpx.Response:
    return agent.post("token_endpoint", grant_type="refresh_token", refresh_token=token, **params)


def is_alive(agent: Agent, token: str) -> bool:
    return bool(agent.introspect(token).json()["active"])


class TestAnswer:
    """A token on the root, and the next refresh token."""

    def test_it_is_a_lease_on_the_same_node(self, world: World, granted: dict[str, Any]) -> None:
        answer = refresh(world.agent("planner"), granted["refresh_token"])
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        old, new = (decode(a["access_token"])[1] for a in (granted, answer.json()))
        assert old["delegation_id"] == new["delegation_id"]
        assert old["scope"] == new["scope"] == answer.json()["scope"]
        assert new["aud"] == world.metadata["issuer"]
        assert answer.json()["refresh_token"] != granted["refresh_token"]

    def test_it_goes_on_for_hours(self, world: World, granted: dict[str, Any]) -> None:
        token = granted["refresh_token"]
        for _ in range(3):
            world.pass_time(3600)
            answer = refresh(world.agent("planner"), token).json()
            token = answer["refresh_token"]
        assert is_alive(world.agent("planner"), answer["access_token"])

    def test_it_never_goes_past_what_was_granted(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        world.pass_time(8 * 3600)
        assert outcome(refresh(world.agent("planner"), granted["refresh_token"])) == BAD_GRANT

    def test_a_resource_narrows_it_for_this_once(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        planner = world.agent("planner")
        narrow = refresh(planner, granted["refresh_token"], resource=CALENDAR).json()
        assert decode(narrow["access_token"])[1]["aud"] == CALENDAR
        assert narrow["scope"] == "calendar:read calendar:write"
        exchanged = planner.exchange(granted["access_token"], resource=CALENDAR).json()
        nodes = [decode(a["access_token"])[1]["delegation_id"] for a in (narrow, exchanged)]
        assert nodes[0] == nodes[1]
        whole = refresh(planner, narrow["refresh_token"]).json()
        assert whole["scope"] == granted["scope"]

    def test_a_scope_narrows_it_for_this_once(self, world: World, granted: dict[str, Any]) -> None:
        planner = world.agent("planner")
        narrow = refresh(planner, granted["refresh_token"], scope="calendar:read").json()
        assert narrow["scope"] == "calendar:read"
        assert refresh(planner, narrow["refresh_token"]).json()["scope"] == granted["scope"]

    @pytest.mark.parametrize("scope", ["flights:hold", "calendar:read flights:hold", "admin"])
    def test_no_scope_widens_it(self, world: World, granted: dict[str, Any], scope: str) -> None:
        planner = world.agent("planner")
        refused = refresh(planner, granted["refresh_token"], scope=scope)
        assert outcome(refused) == (400, "invalid_scope")
        assert refresh(planner, granted["refresh_token"]).status_code == 200

    @pytest.mark.parametrize(
        ("resource", "error"),
        [
            ("https://unknown.example", "invalid_target"),
            (f"{CALENDAR}#x", "invalid_target"),
            ([CALENDAR, FLIGHTS], "invalid_target"),
            ("booker", "invalid_target"),
            (PAY, "invalid_scope"),
        ],
    )
    def test_no_resource_widens_it(
        self, world: World, granted: dict[str, Any], resource: Any, error: str
    ) -> None:
        planner = world.agent("planner")
        refused = refresh(planner, granted["refresh_token"], resource=resource)
        assert outcome(refused) == (400, error)
        assert refresh(planner, granted["refresh_token"]).status_code == 200

    def test_a_sensitive_scope_needs_the_person(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        asked = {"scope": "pay:transfer", "resource": PAY}
        refused = refresh(world.agent("planner"), granted["refresh_token"], **asked)
        assert outcome(refused) == (400, "interaction_required")


class TestRefused:
    """Whose token it is, and whether what it hangs on lives."""

    @pytest.mark.parametrize("token", ["x", "drft_x", "drft_" + "a" * 43, "a" * 20_000, "é"])
    def test_an_unknown_one(self, world: World, token: str) -> None:
        assert outcome(refresh(world.agent("planner"), token)) == BAD_GRANT

    def test_none(self, world: World) -> None:
        assert outcome(refresh(world.agent("planner"), "")) == (400, "invalid_request")

    def test_an_access_token(self, world: World, granted: dict[str, Any]) -> None:
        assert outcome(refresh(world.agent("planner"), granted["access_token"])) == BAD_GRANT

    @pytest.mark.parametrize("thief", ["mallory", "booker"])
    def test_another_clients_and_it_disturbs_nothing(
        self, world: World, granted: dict[str, Any], thief: str
    ) -> None:
        refusal = world.refused(refresh, world.agent(thief), granted["refresh_token"])
        assert refusal == (*BAD_GRANT, "refresh.unknown")
        assert refresh(world.agent("planner"), granted["refresh_token"]).status_code == 200

    def test_one_whose_delegation_ended(self, world: World, granted: dict[str, Any]) -> None:
        world.agent("planner").revoke(granted["access_token"])
        refusal = world.refused(refresh, world.agent("planner"), granted["refresh_token"])
        assert refusal == (*BAD_GRANT, "delegation.ended")

    def test_one_whose_person_left(self, world: World) -> None:
        token = world.consent(person="eve").json()["refresh_token"]
        world.leave("eve")
        assert outcome(refresh(world.agent("planner"), token)) == BAD_GRANT

    def test_one_whose_person_may_not_act_at_the_host(self, world: World) -> None:
        token = world.consent(person="ben").json()["refresh_token"]
        world.host.inactive.add("ben")
        refused = refresh(world.agent("planner"), token)
        world.host.inactive.remove("ben")
        assert outcome(refused) == BAD_GRANT

    def test_one_of_an_agent_that_was_stopped_and_resumed(self, world: World) -> None:
        world.register("paused")
        token = world.consent("paused").json()["refresh_token"]
        world.stop("paused")
        assert outcome(refresh(world.agent("paused"), token)) == (401, "invalid_client")
        world.start("paused")
        assert outcome(refresh(world.agent("paused"), token)) == BAD_GRANT

    def test_an_agent_that_may_not_refresh(self, world: World) -> None:
        world.register("no-refresh", grant_types=frozenset({"client_credentials"}))
        answer = refresh(world.agent("no-refresh"), "x")
        assert outcome(answer) == (400, "unauthorized_client")


class TestRotation:
    """Each is used once; a repeat is a lost reply, or the end."""

    def test_a_repeat_later_ends_the_delegation(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        planner = world.agent("planner")
        taken = world.hand_over(granted["access_token"], "planner", "booker", "calendar:read")
        second = refresh(planner, granted["refresh_token"]).json()
        world.pass_time(11)
        refusal = world.refused(refresh, planner, granted["refresh_token"])
        assert refusal == (*BAD_GRANT, "refresh.reused")
        assert not is_alive(planner, second["access_token"])
        assert not is_alive(world.agent("booker"), taken)
        assert outcome(refresh(planner, second["refresh_token"])) == BAD_GRANT

    def test_a_repeat_within_ten_seconds_is_a_lost_reply(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        planner = world.agent("planner")
        lost = refresh(planner, granted["refresh_token"]).json()
        world.pass_time(5)
        again = refresh(planner, granted["refresh_token"])
        assert again.status_code == 200
        assert again.json()["refresh_token"] != lost["refresh_token"]
        assert refresh(planner, again.json()["refresh_token"]).status_code == 200

    def test_the_unused_successor_dies_and_ends_nothing(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        planner = world.agent("planner")
        lost = refresh(planner, granted["refresh_token"]).json()["refresh_token"]
        again = refresh(planner, granted["refresh_token"]).json()
        assert outcome(refresh(planner, lost)) == BAD_GRANT
        assert is_alive(planner, again["access_token"])
        assert refresh(planner, again["refresh_token"]).status_code == 200

    def test_many_lost_replies_do_not_move_the_ten_seconds(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        planner = world.agent("planner")
        for seconds in (0, 6):
            world.pass_time(seconds)
            assert refresh(planner, granted["refresh_token"]).status_code == 200
        world.pass_time(6)
        assert outcome(refresh(planner, granted["refresh_token"])) == BAD_GRANT
        assert not is_alive(planner, granted["access_token"])

    def test_once_the_successor_was_used_a_repeat_ends_all(
        self, world: World, granted: dict[str, Any]
    ) -> None:
        planner = world.agent("planner")
        second = refresh(planner, granted["refresh_token"]).json()
        third = refresh(planner, second["refresh_token"]).json()
        assert outcome(refresh(planner, granted["refresh_token"])) == BAD_GRANT
        assert not is_alive(planner, third["access_token"])
        assert outcome(refresh(planner, third["refresh_token"])) == BAD_GRANT

    def test_a_refused_request_does_not_use_it(self, world: World, granted: dict[str, Any]) -> None:
        planner = world.agent("planner")
        for _ in range(2):
            assert refresh(planner, granted["refresh_token"], scope="admin").is_client_error
        world.pass_time(30)
        assert refresh(planner, granted["refresh_token"]).status_code == 200

    def test_of_many_at_once_one_lineage_lives(self, world: World, granted: dict[str, Any]) -> None:
        planner = world.agent("planner")
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: refresh(planner, granted["refresh_token"]), range(6)))
        assert {a.status_code for a in answers} <= {200, 400}
        given = [a.json()["refresh_token"] for a in answers if a.status_code == 200]
        live = [t for t in given if planner.introspect(t).json()["active"]]
        assert len(live) == 1
        assert refresh(planner, live[0]).status_code == 200


class TestPublicClients:
    """A public client proves nothing: there is no grace for it."""

    @staticmethod
    def consent(world: World) -> tuple[Agent, dict[str, Any]]:
        agent = Agent("on-device", world.metadata)
        answer = world.consent("on-device", redeem_with=agent)
        assert answer.status_code == 200, answer.text
        return agent, answer.json()

    def test_it_refreshes(self, world: World) -> None:
        agent, granted = self.consent(world)
        assert refresh(agent, granted["refresh_token"]).status_code == 200

    def test_a_repeat_at_once_ends_the_delegation(self, world: World) -> None:
        agent, granted = self.consent(world)
        second = refresh(agent, granted["refresh_token"]).json()
        assert outcome(refresh(agent, granted["refresh_token"])) == BAD_GRANT
        assert outcome(refresh(agent, second["refresh_token"])) == BAD_GRANT

    def test_it_narrows_by_its_refresh_token_and_never_by_an_exchange(self, world: World) -> None:
        """A bearer's mere possession is never enough, and a public client has nothing else."""
        agent, granted = self.consent(world)
        exchanged = agent.exchange(granted["access_token"], resource=CALENDAR)
        assert outcome(exchanged) == (400, "unauthorized_client")
        narrowed = refresh(agent, granted["refresh_token"], resource=CALENDAR)
        assert decode(narrowed.json()["access_token"])[1]["aud"] == CALENDAR
