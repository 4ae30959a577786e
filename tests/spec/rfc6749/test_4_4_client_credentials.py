"""An agent acting for itself: nobody's delegation, within its own ceiling."""

from typing import Any

import httpx
import pytest

from support.agents_http import Agent, decode, outcome
from support.world import CALENDAR, PAY, World

pytestmark = pytest.mark.section("RFC 6749", "4.4")


def ask(agent: Agent, **params: Any) -> httpx.Response:
    return agent.post("token_endpoint", grant_type="client_credentials", **params)


def test_the_agent_is_the_subject_and_nobody_acts(world: World, planner: Agent) -> None:
    answer = ask(planner, resource=CALENDAR)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = decode(answer.json()["access_token"])[1]
    assert claims["sub"] == claims["client_id"] == "planner"
    assert claims["sub_profile"] == "ai_agent"
    assert claims["aud"] == CALENDAR
    assert not {"act", "may_act", "delegation_id", "task_id", "auth_time"} & claims.keys()


def test_the_scope_is_what_belongs_there(planner: Agent) -> None:
    assert ask(planner, resource=CALENDAR).json()["scope"] == "calendar:read calendar:write"
    asked = {"resource": CALENDAR, "scope": "calendar:read"}
    assert ask(planner, **asked).json()["scope"] == "calendar:read"


@pytest.mark.parametrize(
    "params",
    [
        {"scope": "calendar:delete"},
        {"scope": "admin"},
        {"scope": "approvals"},
        {"scope": "agents:spawn"},  # nobody's delegation spawns nothing
        {"scope": "tasks"},
        {"scope": "pay:transfer", "resource": PAY},  # sensitive: there is nobody to ask
        {"scope": "pay:transfer"},
        {"resource": PAY},  # nothing but the sensitive scope belongs there
        {"scope": "flights:search", "resource": CALENDAR},
    ],
    ids=str,
)
def test_more_is_refused(planner: Agent, params: dict[str, str]) -> None:
    assert outcome(ask(planner, **params)) == (400, "invalid_scope")


def test_a_resource_that_is_not_the_agents_is_refused(world: World) -> None:
    world.register("local", resources=frozenset())
    assert outcome(ask(world.agent("local"), resource=CALENDAR)) == (400, "invalid_target")


def test_another_agent_is_no_target(planner: Agent) -> None:
    answer = ask(planner, audience="booker", scope="calendar:read")
    assert outcome(answer) == (400, "invalid_target")


@pytest.mark.parametrize("reserved", ["admin", "approvals", "openid", "profile", "email", "scim"])
def test_a_scope_of_the_server_itself_is_never_an_agents(world: World, reserved: str) -> None:
    """Not even where its registration says so: they go to clients that are listed for them."""
    world.register(f"climber-{reserved}", scope=frozenset({reserved, "calendar:read"}))
    agent = world.agent(f"climber-{reserved}")
    assert outcome(ask(agent, scope=reserved)) == (400, "invalid_scope")
    assert reserved not in ask(agent).json().get("scope", "")


def test_a_resource_server_does_not_act(world: World) -> None:
    assert outcome(ask(world.api())) == (400, "unauthorized_client")


def test_an_agent_without_the_grant_does_not_act(world: World) -> None:
    world.register("no-self", grant_types=frozenset({"authorization_code"}))
    assert outcome(ask(world.agent("no-self"))) == (400, "unauthorized_client")


def test_it_never_outlives_the_agent(world: World, planner: Agent) -> None:
    now = decode(ask(planner).json()["access_token"])[1]["iat"]
    world.register("ending", expires_at=now + 60)
    assert ask(world.agent("ending"), resource=CALENDAR).json()["expires_in"] <= 60


class TestLiveness:
    """It lives while its agent does, and what ended does not come back."""

    @staticmethod
    def token(world: World, client_id: str, **members: Any) -> str:
        world.register(client_id, **members)
        return str(ask(world.agent(client_id), resource=CALENDAR).json()["access_token"])

    def test_the_resource_server_is_told_while_the_agent_is_active(self, world: World) -> None:
        token = self.token(world, "actor")
        assert world.is_active(token)
        world.stop("actor")
        assert world.api().introspect(token).json() == {"active": False}

    def test_resuming_the_agent_revives_nothing(self, world: World) -> None:
        token = self.token(world, "paused")
        world.stop("paused")
        world.start("paused")
        assert world.api().introspect(token).json() == {"active": False}

    def test_any_edit_of_the_registration_ends_it(self, world: World) -> None:
        token = self.token(world, "shrunk")
        world.edit("shrunk", purpose="Something else")
        assert world.api().introspect(token).json() == {"active": False}

    def test_with_nothing_left_it_is_inactive(self, world: World) -> None:
        token = self.token(world, "emptied")
        world.edit("emptied", scope=frozenset({"flights:search"}))
        assert world.api().introspect(token).json() == {"active": False}

    def test_a_scope_that_was_taken_and_given_back_does_not_revive(self, world: World) -> None:
        token = self.token(world, "wavering")
        world.edit("wavering", scope=frozenset({"calendar:read"}))
        world.edit("wavering", scope=frozenset({"calendar:read", "calendar:write"}))
        assert world.api().introspect(token).json().get("scope") != "calendar:read calendar:write"

    def test_without_the_resource_it_is_inactive(self, world: World) -> None:
        token = self.token(world, "moved")
        world.edit("moved", resources=frozenset())
        assert world.api().introspect(token).json() == {"active": False}

    def test_new_keys_or_a_new_owner_end_it(self, world: World) -> None:
        token = self.token(world, "sold")
        world.edit("sold", owner="eve")
        assert world.api().introspect(token).json() == {"active": False}

    def test_it_is_revoked_by_its_agent(self, world: World) -> None:
        token = self.token(world, "revoker")
        world.agent("revoker").revoke(token)
        assert world.api().introspect(token).json() == {"active": False}
