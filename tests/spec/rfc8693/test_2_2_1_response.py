"""What an exchange answers: a lease on the same node, a node under it, or a hand-over."""

from typing import Any

import pytest

from support.agents_http import ACCESS_TOKEN, Agent, decode, outcome, unix_time
from support.world import CALENDAR, FLIGHTS, World

pytestmark = pytest.mark.section("RFC 8693", "2.2.1")

JWT = "urn:ietf:params:oauth:token-type:jwt"


@pytest.fixture
def hold(world: World) -> str:
    """A hold of each test's own: some of them let time pass."""
    return world.hold()


def claims(token: str) -> dict[str, Any]:
    return decode(token)[1]


def node(token: str) -> object:
    return claims(token)["delegation_id"]


def test_it_has_these_members_and_never_a_refresh_token(planner: Agent, hold: str) -> None:
    answer = planner.exchange(hold)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    members = {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert answer.json().keys() == members
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(("asked", "issued"), [(None, ACCESS_TOKEN), (JWT, JWT)])
def test_it_names_the_type_that_it_issued(
    planner: Agent, hold: str, asked: str | None, issued: str
) -> None:
    answer = planner.exchange(hold, requested_token_type=asked).json()
    assert answer["issued_token_type"] == issued


def test_expires_in_is_what_the_token_says(planner: Agent, hold: str) -> None:
    answer = planner.exchange(hold).json()
    said = claims(answer["access_token"])
    assert answer["expires_in"] == said["exp"] - said["iat"] == 300


class TestRenewing:
    """Same scope, same target: a new lease on the same node."""

    @pytest.mark.parametrize("resource", [None, CALENDAR])
    def test_the_node_is_the_same_and_the_token_is_new(
        self, planner: Agent, hold: str, resource: str | None
    ) -> None:
        first = planner.exchange(hold, resource=resource).json()["access_token"]
        second = planner.exchange(first).json()["access_token"]
        assert node(first) == node(second)
        assert claims(first)["jti"] != claims(second)["jti"]

    def test_naming_what_it_holds_changes_nothing(self, world: World, hold: str) -> None:
        planner, held = world.agent("planner"), str(claims(hold)["scope"])
        answer = planner.exchange(hold, scope=held, resource=world.metadata["issuer"]).json()
        assert node(answer["access_token"]) == node(hold)

    def test_an_agent_goes_on_past_five_minutes(self, world: World) -> None:
        planner, token = world.agent("planner"), world.hold()
        for _ in range(3):
            world.pass_time(250)
            token = planner.exchange(token).json()["access_token"]
        assert planner.introspect(token).json()["active"]

    def test_a_sub_agent_goes_on_by_itself(self, world: World) -> None:
        token = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
        for _ in range(3):
            world.pass_time(250)
            token = world.agent("booker").exchange(token).json()["access_token"]
        assert world.agent("booker").introspect(token).json()["active"]

    def test_the_old_lease_lives_on_until_it_expires(self, world: World) -> None:
        first = world.hold()
        second = world.agent("planner").exchange(first).json()["access_token"]
        assert world.agent("planner").introspect(first).json()["active"]
        assert world.agent("planner").introspect(second).json()["active"]


class TestNarrowing:
    """Anything less, or another target: a node under it, the chain unchanged."""

    def test_it_is_a_node_of_its_own_in_the_same_task(self, planner: Agent, hold: str) -> None:
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        assert node(token) != node(hold)
        assert claims(token)["task_id"] == claims(hold)["task_id"]
        assert claims(token)["act"] == claims(hold)["act"]

    @pytest.mark.parametrize(
        "asked",
        [
            {"resource": CALENDAR},
            {"resource": CALENDAR, "scope": "calendar:read"},
            {"scope": "calendar:read"},
            {"audience": "booker", "scope": "calendar:read"},
        ],
    )
    def test_the_same_request_finds_the_same_node(
        self, planner: Agent, hold: str, asked: dict[str, str]
    ) -> None:
        tokens = [planner.exchange(hold, **asked).json()["access_token"] for _ in range(3)]
        assert len({node(token) for token in tokens}) == 1
        assert len({claims(token)["jti"] for token in tokens}) == 3

    def test_the_order_of_scopes_is_no_difference(self, planner: Agent, hold: str) -> None:
        scopes = ("calendar:read flights:search", "flights:search calendar:read")
        tokens = [planner.exchange(hold, scope=scope).json()["access_token"] for scope in scopes]
        assert node(tokens[0]) == node(tokens[1])

    def test_another_request_makes_another_node(self, planner: Agent, hold: str) -> None:
        asked: list[dict[str, str]] = [
            {"resource": CALENDAR},
            {"resource": FLIGHTS},
            {"resource": CALENDAR, "scope": "calendar:read"},
            {"scope": "calendar:read"},
            {"audience": "booker", "scope": "calendar:read"},
            {"audience": "checker", "scope": "calendar:read"},
        ]
        tokens = [planner.exchange(hold, **params).json()["access_token"] for params in asked]
        assert len({node(token) for token in tokens}) == len(asked)

    def test_a_node_that_ended_is_not_found_again(self, world: World, hold: str) -> None:
        planner = world.agent("planner")
        first = planner.exchange(hold, resource=FLIGHTS).json()["access_token"]
        planner.revoke(first)
        second = planner.exchange(hold, resource=FLIGHTS).json()["access_token"]
        assert node(first) != node(second)
        assert not world.is_active(first, "flights-api")
        assert world.is_active(second, "flights-api")

    def test_two_trees_never_share_a_node(self, world: World) -> None:
        planner = world.agent("planner")
        tokens = [
            planner.exchange(world.hold(), resource=CALENDAR).json()["access_token"]
            for _ in range(2)
        ]
        assert node(tokens[0]) != node(tokens[1])


def test_however_often_it_is_narrowed_it_is_answered(world: World, hold: str) -> None:
    """To and fro between two targets makes a path ever longer: it is refused, and no 500."""
    planner, targets = world.agent("planner"), [CALENDAR, world.metadata["issuer"]] * 30
    answers = []
    token = hold
    for resource in targets:
        answers.append(planner.exchange(token, resource=resource))
        token = answers[-1].json().get("access_token", token)
    assert {outcome(a) for a in answers} <= {(200, "none"), (400, "invalid_request")}


class TestLifetime:
    """Five minutes, never past the delegation, the task or any agent of the chain."""

    def test_not_past_the_time_that_was_granted(self, world: World) -> None:
        token = world.hold(until=900)
        world.pass_time(250)
        token = world.agent("planner").exchange(token).json()["access_token"]
        world.pass_time(250)
        token = world.agent("planner").exchange(token).json()["access_token"]
        world.pass_time(250)
        answer = world.agent("planner").exchange(token).json()
        assert answer["expires_in"] <= 150

    def test_not_past_the_agent_that_takes(self, world: World) -> None:
        expires_at = unix_time() + 120
        world.register("short-lived", expires_at=expires_at)
        world.register("giver", delegates_to=frozenset({"short-lived"}))
        taken = world.hand_over(world.hold("giver"), "giver", "short-lived", "calendar:read")
        assert claims(taken)["exp"] <= expires_at

    def test_not_past_an_older_agent_of_the_chain(self, world: World) -> None:
        expires_at = unix_time() + 120
        world.register("ending", expires_at=expires_at, delegates_to=frozenset({"booker"}))
        taken = world.hand_over(world.hold("ending"), "ending", "booker", "calendar:read")
        assert claims(taken)["exp"] <= expires_at
