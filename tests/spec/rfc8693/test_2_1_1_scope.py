"""What scope an exchange gives: within token, delegation and ceilings, and for the target."""

import pytest

from support.agents_http import Agent, decode, outcome
from support.world import CALENDAR, FLIGHTS, PAY, World

pytestmark = pytest.mark.section("RFC 8693", "2.1.1")

BEYOND = (400, "invalid_scope", "scope.beyond_subject")


def scope_of(token: str) -> str:
    return str(decode(token)[1]["scope"])


class TestAbsent:
    """Absent, the scope is all that can be had without asking the person."""

    def test_at_the_issuer_it_is_all_that_the_token_has(self, planner: Agent, hold: str) -> None:
        answer = planner.exchange(hold).json()
        assert answer["scope"] == scope_of(hold) == scope_of(answer["access_token"])

    @pytest.mark.parametrize(
        ("resource", "scope"),
        [(CALENDAR, "calendar:read calendar:write"), (FLIGHTS, "flights:search")],
    )
    def test_at_a_resource_server_it_is_what_belongs_there(
        self, planner: Agent, hold: str, resource: str, scope: str
    ) -> None:
        answer = planner.exchange(hold, resource=resource).json()
        assert answer["scope"] == scope == scope_of(answer["access_token"])

    def test_an_empty_one_counts_as_absent(self, planner: Agent, hold: str) -> None:
        answer = planner.exchange(hold, resource=FLIGHTS, scope="")
        assert answer.json()["scope"] == "flights:search"

    def test_where_nothing_belongs_to_the_target_nothing_is_given(
        self, world: World, hold: str
    ) -> None:
        refusal = world.refused(world.agent("planner").exchange, hold, resource=PAY)
        assert refusal == (400, "invalid_scope", "scope.empty")

    def test_a_hand_over_names_its_scope(self, world: World, hold: str) -> None:
        refusal = world.refused(world.agent("planner").exchange, hold, audience="booker")
        assert refusal == (400, "invalid_scope", "scope.hand_over_unnamed")


class TestNarrower:
    """Any part of it can be asked for."""

    def test_the_answer_says_what_was_given(self, planner: Agent, hold: str) -> None:
        answer = planner.exchange(hold, resource=CALENDAR, scope="calendar:read").json()
        assert answer["scope"] == "calendar:read" == scope_of(answer["access_token"])

    def test_what_a_token_lost_its_delegation_does_not_give_back(
        self, world: World, hold: str
    ) -> None:
        planner = world.agent("planner")
        narrow = planner.exchange(hold, scope="calendar:read").json()["access_token"]
        assert planner.exchange(narrow).json()["scope"] == "calendar:read"
        assert world.refused(planner.exchange, narrow, scope="calendar:write") == BEYOND

    def test_nor_is_it_given_to_a_token_narrower_than_its_node(
        self, world: World, hold: str
    ) -> None:
        narrower = world.forge(decode(hold)[1] | {"scope": "calendar:read"})
        planner = world.agent("planner")
        assert planner.exchange(narrower).json()["scope"] == "calendar:read"
        assert world.refused(planner.exchange, narrower, scope="calendar:write") == BEYOND


class TestBeyond:
    """More than the token holds is refused, whatever the client itself may."""

    @pytest.mark.parametrize(
        "scope",
        [
            "flights:hold",  # in the agent's ceiling, not consented
            "calendar:read flights:hold",
            "calendar:delete",  # nobody knows it
            "CALENDAR:READ",
            "openid",
            "admin",
            "approvals",
            "*",
        ],
    )
    def test_it_is_refused(self, world: World, hold: str, scope: str) -> None:
        assert world.refused(world.agent("planner").exchange, hold, scope=scope) == BEYOND

    @pytest.mark.parametrize("scope", ["calendar:write", "calendar:read calendar:write"])
    def test_a_taker_has_what_it_was_handed_whatever_its_ceiling(
        self, world: World, hold: str, scope: str
    ) -> None:
        taken = world.hand_over(hold, "planner", "booker", "calendar:read")
        assert world.refused(world.agent("booker").exchange, taken, scope=scope) == BEYOND

    def test_the_takers_ceiling_binds(self, world: World) -> None:
        world.register("reader", scope=frozenset({"calendar:read"}))
        world.register("writer", delegates_to=frozenset({"reader"}))
        writer, reader = world.agent("writer"), world.agent("reader")
        asked = {"audience": "reader", "scope": "calendar:read calendar:write"}
        given = writer.exchange(world.hold("writer"), **asked)
        token = given.json()["access_token"]
        assert world.refused(reader.exchange, token, scope="calendar:write") == BEYOND
        assert reader.exchange(token).json()["scope"] == "calendar:read"

    def test_the_ceiling_of_each_older_agent_binds(self, world: World) -> None:
        world.register("shrinking", delegates_to=frozenset({"booker"}))
        root = world.hold("shrinking")
        taken = world.hand_over(root, "shrinking", "booker", "calendar:read calendar:write")
        world.edit("shrinking", scope=frozenset({"calendar:read"}))
        booker = world.agent("booker")
        assert world.refused(booker.exchange, taken, scope="calendar:write") == BEYOND
        assert booker.exchange(taken).json()["scope"] == "calendar:read"

    def test_what_the_person_left_out_is_not_given(self, world: World) -> None:
        root = world.hold(untick=("calendar:write",))
        asked = {"resource": CALENDAR, "scope": "calendar:write"}
        assert world.refused(world.agent("planner").exchange, root, **asked) == BEYOND


class TestWrongTarget:
    """A token for a resource server has only scopes of that resource server."""

    @pytest.mark.parametrize(
        "scope", ["flights:search", "calendar:read flights:search", "agents:spawn", "tasks"]
    )
    def test_a_scope_of_somewhere_else_is_refused(
        self, world: World, hold: str, scope: str
    ) -> None:
        asked = {"resource": CALENDAR, "scope": scope}
        refusal = world.refused(world.agent("planner").exchange, hold, **asked)
        assert refusal == (400, "invalid_scope", "scope.wrong_target")


class TestHandOver:
    """`tasks` never passes, `agents:spawn` only by its name."""

    def test_tasks_never_passes(self, world: World, hold: str) -> None:
        asked = {"audience": "booker", "scope": "tasks calendar:read"}
        refusal = world.refused(world.agent("planner").exchange, hold, **asked)
        assert refusal == (400, "invalid_scope", "scope.never_passed")

    def test_spawning_passes_by_its_name(self, world: World, hold: str) -> None:
        taken = world.hand_over(hold, "planner", "booker", "agents:spawn calendar:read")
        assert scope_of(taken) == "agents:spawn calendar:read"


class TestSensitive:
    """A sensitive scope is never had without asking the person."""

    def test_asked_for_by_name_it_needs_the_person(self, world: World, hold: str) -> None:
        asked = {"resource": PAY, "scope": "pay:transfer"}
        refusal = world.refused(world.agent("planner").exchange, hold, **asked)
        assert refusal == (400, "interaction_required", "scope.needs_approval")

    def test_with_a_binding_message_the_person_is_asked(self, planner: Agent, hold: str) -> None:
        asked = {"resource": PAY, "scope": "pay:transfer", "binding_message": "TP1234"}
        assert outcome(planner.exchange(hold, **asked)) == (400, "authorization_pending")

    def test_the_answer_starts_nothing(self, world: World, hold: str) -> None:
        planner = world.agent("planner")
        before = world.events()
        planner.exchange(hold, resource=PAY, scope="pay:transfer")
        assert [e["kind"] for e in world.events() if e not in before] == ["token.refused"]

    def test_beyond_the_agents_ceiling_it_is_beyond_asking(self, world: World) -> None:
        ceiling = frozenset({"calendar:read", "agents:spawn", "tasks"})
        world.register("no-payer", scope=ceiling)
        root = world.hold("no-payer", scope="calendar:read", resource=[CALENDAR, PAY])
        asked = {"resource": PAY, "scope": "pay:transfer"}
        assert world.refused(world.agent("no-payer").exchange, root, **asked) == BEYOND

    def test_nor_beyond_an_older_agents_ceiling(self, world: World) -> None:
        world.register(
            "giver", scope=frozenset({"calendar:read"}), delegates_to=frozenset({"booker"})
        )
        root = world.hold("giver", scope="calendar:read", resource=[CALENDAR, PAY])
        taken = world.hand_over(root, "giver", "booker", "calendar:read")
        asked = {"resource": PAY, "scope": "pay:transfer"}
        assert world.refused(world.agent("booker").exchange, taken, **asked) == BEYOND

    def test_where_it_does_not_belong_asking_would_not_help(self, world: World, hold: str) -> None:
        asked = {"resource": CALENDAR, "scope": "pay:transfer"}
        assert outcome(world.agent("planner").exchange(hold, **asked)) == (400, "invalid_scope")

    def test_nor_at_a_resource_that_was_not_consented(self, world: World) -> None:
        root = world.hold(resource=[CALENDAR])
        asked = {"resource": PAY, "scope": "pay:transfer"}
        assert outcome(world.agent("planner").exchange(root, **asked)) == (400, "invalid_target")

    def test_it_is_never_among_what_is_given_unnamed(self, world: World, hold: str) -> None:
        answer = world.agent("planner").exchange(hold)
        assert "pay:transfer" not in answer.json()["scope"].split()
