"""Redeeming the code: once, by the client that it was given to, with what began it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from support.agents_http import Agent, decode, outcome, pkce, unix_time
from support.world import CALENDAR, CALLBACK, FLIGHTS, PAY, World

pytestmark = pytest.mark.section("RFC 6749", "4.1.3")

BAD_GRANT = (400, "invalid_grant")
VERIFIER, CHALLENGE = pkce()


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def redeem(agent: Agent, code: str, **changed: Any) -> httpx.Response:
    usual = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return agent.post("token_endpoint", **usual | changed)


class TestAnswer:
    """A token for the issuer on the root of a new tree, and a refresh token."""

    def test_it_has_these_members(self, world: World) -> None:
        answer = redeem(world.agent("planner"), world.code(CHALLENGE))
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        members = {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
        assert answer.json().keys() == members
        assert answer.json()["token_type"] == "Bearer"

    def test_the_person_is_the_subject_and_the_agent_the_actor(self, world: World) -> None:
        token = redeem(world.agent("planner"), world.code(CHALLENGE)).json()["access_token"]
        claims = decode(token)[1]
        assert (claims["sub"], claims["act"]["sub"]) == ("ana", "planner")
        assert claims["aud"] == world.metadata["issuer"]

    def test_an_agent_that_may_not_refresh_gets_no_refresh_token(self, world: World) -> None:
        world.register("short", grant_types=frozenset({"authorization_code"}))
        answer = redeem(world.agent("short"), world.code(CHALLENGE, "short"))
        assert "refresh_token" not in answer.json()

    def test_each_code_is_a_task_of_its_own(self, world: World) -> None:
        tokens = [decode(world.hold())[1] for _ in range(2)]
        assert tokens[0]["task_id"] != tokens[1]["task_id"]

    def test_the_scope_is_within_the_ceiling_as_it_is_now(self, world: World) -> None:
        world.register("shrunk")
        code = world.code(CHALLENGE, "shrunk")
        world.edit("shrunk", scope=frozenset({"calendar:read"}))
        assert redeem(world.agent("shrunk"), code).json()["scope"] == "calendar:read"

    def test_an_agent_left_with_nothing_gets_nothing(self, world: World) -> None:
        world.register("emptied")
        code = world.code(CHALLENGE, "emptied")
        world.edit("emptied", scope=frozenset({"flights:hold"}))
        assert redeem(world.agent("emptied"), code).is_client_error


class TestResource:
    """`resource` with the code makes the narrowed node (RFC 8707 §2.2)."""

    def test_it_is_the_tokens_audience(self, world: World) -> None:
        answer = redeem(world.agent("planner"), world.code(CHALLENGE), resource=CALENDAR).json()
        assert decode(answer["access_token"])[1]["aud"] == CALENDAR
        assert answer["scope"] == "calendar:read calendar:write"
        assert world.is_active(answer["access_token"])

    def test_it_finds_the_node_that_an_exchange_finds(self, world: World) -> None:
        planner = world.agent("planner")
        first = redeem(planner, world.code(CHALLENGE), resource=CALENDAR).json()
        again = planner.post(
            "token_endpoint",
            grant_type="refresh_token",
            refresh_token=first["refresh_token"],
            resource=CALENDAR,
        ).json()
        nodes = [decode(a["access_token"])[1]["delegation_id"] for a in (first, again)]
        assert nodes[0] == nodes[1]

    def test_the_issuer_is_the_root(self, world: World) -> None:
        issuer = world.metadata["issuer"]
        answer = redeem(world.agent("planner"), world.code(CHALLENGE), resource=issuer).json()
        assert decode(answer["access_token"])[1]["aud"] == issuer

    @pytest.mark.parametrize(
        "resource",
        [
            "https://unknown.example",
            f"{CALENDAR}#x",
            FLIGHTS,  # not consented
            [CALENDAR, FLIGHTS],
            "booker",
        ],
    )
    def test_what_is_out_of_reach_is_refused(self, world: World, resource: Any) -> None:
        code = world.code(CHALLENGE, resource=[CALENDAR])
        answer = redeem(world.agent("planner"), code, resource=resource)
        assert outcome(answer) == (400, "invalid_target")

    def test_where_nothing_belongs_nothing_is_given(self, world: World) -> None:
        answer = redeem(world.agent("planner"), world.code(CHALLENGE), resource=PAY)
        assert outcome(answer) == (400, "invalid_scope")


class TestRefused:
    """Whose code it is, and with what it was asked for."""

    @pytest.mark.parametrize("code", ["unknown", "a" * 43, "a" * 10_000, "ünknown"])
    def test_an_unknown_one(self, world: World, code: str) -> None:
        assert outcome(redeem(world.agent("planner"), code)) == BAD_GRANT

    @pytest.mark.parametrize("code", [None, ""])
    def test_none(self, world: World, code: Any) -> None:
        answer = redeem(world.agent("planner"), code)
        assert outcome(answer) == (400, "invalid_request")

    def test_another_clients(self, world: World) -> None:
        code = world.code(CHALLENGE)
        refusal = world.refused(redeem, world.agent("booker"), code)
        assert refusal == (*BAD_GRANT, "code.unknown")
        assert redeem(world.agent("planner"), code).status_code == 200

    @pytest.mark.parametrize(
        "redirect_uri",
        [None, "", "http://127.0.0.1:9/callback", "https://evil.example/", f"{CALLBACK}/"],
    )
    def test_another_redirect_uri_than_the_requests(self, world: World, redirect_uri: Any) -> None:
        answer = redeem(world.agent("planner"), world.code(CHALLENGE), redirect_uri=redirect_uri)
        assert outcome(answer) == BAD_GRANT

    def test_where_the_request_named_none_none_is_needed(self, world: World) -> None:
        code = world.code(CHALLENGE, redirect_uri=None)
        assert redeem(world.agent("planner"), code, redirect_uri=None).status_code == 200

    def test_one_that_expired(self, world: World) -> None:
        code = world.code(CHALLENGE)
        world.pass_time(61)
        refusal = world.refused(redeem, world.agent("planner"), code)
        assert refusal == (*BAD_GRANT, "code.expired")

    def test_one_whose_agent_was_stopped(self, world: World) -> None:
        world.register("stopped")
        code = world.code(CHALLENGE, "stopped")
        world.stop("stopped")
        assert outcome(redeem(world.agent("stopped"), code)) == (401, "invalid_client")
        world.start("stopped")
        assert outcome(redeem(world.agent("stopped"), code)) == BAD_GRANT

    def test_one_whose_agent_got_another_owner(self, world: World) -> None:
        world.register("sold")
        code = world.code(CHALLENGE, "sold")
        world.edit("sold", owner="eve")
        assert outcome(redeem(world.agent("sold"), code)) == BAD_GRANT

    def test_one_whose_person_may_not_act_any_more(self, world: World) -> None:
        code = world.code(CHALLENGE, person="eve")
        world.host.inactive.add("eve")
        refusal = world.refused(redeem, world.agent("planner"), code)
        world.host.inactive.remove("eve")
        assert refusal == (*BAD_GRANT, "person.inactive")

    def test_one_whose_person_left(self, world: World) -> None:
        code = world.code(CHALLENGE, person="eve")
        world.leave("eve")
        assert outcome(redeem(world.agent("planner"), code)) == BAD_GRANT
        world.consent(person="eve")  # she is back, and consents to something else
        assert outcome(redeem(world.agent("planner"), code)) == BAD_GRANT

    def test_an_agent_that_may_not_redeem(self, world: World) -> None:
        world.register("exchanger", grant_types=frozenset({"client_credentials"}))
        answer = redeem(world.agent("exchanger"), "x")
        assert outcome(answer) == (400, "unauthorized_client")

    def test_a_resource_server(self, world: World) -> None:
        assert outcome(redeem(world.api(), "x")) == (400, "unauthorized_client")


class TestOnce:
    """ "The client MUST NOT use the authorization code more than once" (§4.1.2)."""

    def test_a_repeat_at_once_is_refused_and_ends_nothing(self, world: World) -> None:
        code = world.code(CHALLENGE)
        token = redeem(world.agent("planner"), code).json()["access_token"]
        refusal = world.refused(redeem, world.agent("planner"), code)
        assert refusal == (*BAD_GRANT, "code.used")
        assert world.agent("planner").introspect(token).json()["active"]

    def test_a_replay_later_ends_what_it_gave(self, world: World) -> None:
        code = world.code(CHALLENGE)
        given = redeem(world.agent("planner"), code).json()
        taken = world.hand_over(given["access_token"], "planner", "booker", "calendar:read")
        world.pass_time(11)
        assert outcome(redeem(world.agent("planner"), code)) == BAD_GRANT
        for agent, token in (("planner", given["access_token"]), ("booker", taken)):
            assert world.agent(agent).introspect(token).json() == {"active": False}

    @pytest.mark.parametrize("changed", [{"code_verifier": "v" * 43}, {"redirect_uri": "x"}])
    def test_a_replay_by_whoever_saw_the_code_alone_ends_nothing(
        self, world: World, changed: dict[str, str]
    ) -> None:
        code = world.code(CHALLENGE)
        token = redeem(world.agent("planner"), code).json()["access_token"]
        world.pass_time(11)
        assert outcome(redeem(world.agent("planner"), code, **changed)) == BAD_GRANT
        assert outcome(redeem(world.agent("mallory"), code)) == BAD_GRANT
        assert world.agent("planner").introspect(token).json()["active"]

    def test_of_many_at_once_one_wins(self, world: World) -> None:
        code, planner = world.code(CHALLENGE), world.agent("planner")
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: redeem(planner, code), range(6)))
        assert sorted(a.status_code for a in answers) == [200, *[400] * 5]
        (won,) = [a.json() for a in answers if a.status_code == 200]
        assert planner.introspect(won["access_token"]).json()["active"]


def test_what_was_granted_ends_when_the_person_said(world: World) -> None:
    answer = world.consent(until=900).json()
    claims = decode(answer["access_token"])[1]
    assert claims["exp"] <= unix_time() + 900
    world.pass_time(901)
    refreshed = world.agent("planner").post(
        "token_endpoint", grant_type="refresh_token", refresh_token=answer["refresh_token"]
    )
    assert outcome(refreshed) == BAD_GRANT
