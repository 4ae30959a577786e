"""`@outcome("step_up")`: what a policy doubts passes by the person's fresh word, as what is
sensitive does."""

import pytest

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from policy.conftest import AskedBy
from support.agents_http import outcome
from support.asking import Asking
from support.world import CALENDAR, FLIGHTS, World


@pytest.fixture(scope="module")
def policies() -> str:
    return """
        @id("ask-before-holding")
        @outcome("step_up")
        forbid (principal, action, resource == Resource::"https://flights.example")
        when { context.scope.contains("flights:hold") };

        @id("never-by-checker")
        forbid (principal == Agent::"checker", action, resource == Resource::"https://flights.example");
    """


HOLDING = "flights:hold"


@pytest.fixture
def hold(world: World) -> str:
    return world.hold(scope="flights:search flights:hold calendar:read")


class TestExchange:
    def test_it_says_that_the_person_must_be_asked(self, world: World, hold: str) -> None:
        ask = world.agent("planner").exchange
        refusal = world.refused(ask, hold, resource=FLIGHTS, scope=HOLDING)
        assert refusal == (400, "interaction_required", "policy.needs_approval")
        assert world.events("token.refused")[-1]["facts"]["detail"] == "ask-before-holding"

    def test_what_it_does_not_doubt_passes(self, world: World, hold: str) -> None:
        answer = world.agent("planner").exchange(hold, resource=FLIGHTS, scope="flights:search")
        assert answer.status_code == 200, answer.text

    def test_a_no_wins_over_a_doubt(self, world: World) -> None:
        hold = world.hold("checker", scope="flights:search flights:hold")
        ask = world.agent("checker").exchange
        refusal = world.refused(ask, hold, resource=FLIGHTS, scope=HOLDING)
        assert refusal == (400, "invalid_request", "policy.denied")

    def test_with_a_message_the_person_is_asked_at_once(self, world: World, hold: str) -> None:
        asked = world.agent("planner").exchange(
            hold, resource=FLIGHTS, scope=HOLDING, binding_message="Seat 14C"
        )
        assert outcome(asked) == (400, "authorization_pending")
        assert asked.json()["auth_req_id"]


class TestTheWord:
    """The card shows all of what is asked for; the yes is good for exactly that."""

    @pytest.fixture
    def asked(self, asked_by: AskedBy, world: World) -> AskedBy:
        def ask(client_id: str) -> Asking:
            asking = asked_by(client_id)
            asking.hold = world.hold(
                client_id, asking.person, scope="flights:search flights:hold calendar:read"
            )
            asking.usual = {"scope": f"openid {HOLDING}", "resource": FLIGHTS}
            return asking

        return ask

    def test_after_the_yes_the_token_is_had_and_lives(self, world: World, asked: AskedBy) -> None:
        asking = asked("planner")
        request = asking.asked()
        card = asking.cards()[0]
        assert (card.scope, card.held) == (frozenset({HOLDING}), frozenset())
        assert asking.say_yes() == "done"
        answer = asking.poll(request)
        assert answer.json()["scope"] == HOLDING, answer.text
        assert world.is_active(answer.json()["access_token"], "flights-api")

    def test_the_yes_is_for_one_token(self, world: World, asked: AskedBy) -> None:
        asking = asked("planner")
        request = asking.asked()
        asking.say_yes()
        asking.poll(request)
        ask = world.agent("planner").exchange
        refusal = world.refused(ask, asking.hold, resource=FLIGHTS, scope=HOLDING)
        assert refusal == (400, "interaction_required", "policy.needs_approval")

    def test_it_is_for_no_other_agent(self, world: World, asked: AskedBy) -> None:
        """Where what was approved may be handed on, who takes it is doubted anew."""
        held = Scope(HOLDING, FLIGHTS, "Hold flights", delegable=True)
        declare_scope(world.context.db, held)
        asking = asked("planner")
        request = asking.asked()
        asking.say_yes()
        approved = asking.poll(request).json()["access_token"]
        taken = world.hand_over(approved, "planner", "booker", HOLDING)
        ask = world.agent("booker").exchange
        refusal = world.refused(ask, taken, resource=FLIGHTS)
        assert refusal == (400, "interaction_required", "policy.needs_approval")

    def test_a_no_is_a_no(self, asked: AskedBy) -> None:
        asking = asked("planner")
        request = asking.asked()
        asking.say_no()
        assert outcome(asking.poll(request)) == (400, "access_denied")

    def test_what_no_policy_doubts_is_not_put_to_anybody(self, asked: AskedBy) -> None:
        asking = asked("planner")
        answer = asking.ask(scope="openid calendar:read", resource=CALENDAR)
        assert outcome(answer) == (400, "invalid_scope")
        assert asking.cards() == []

    def test_nor_is_what_a_policy_forbids(self, asked: AskedBy) -> None:
        asking = asked("checker")
        assert outcome(asking.ask()) == (403, "access_denied")
        assert asking.cards() == []
