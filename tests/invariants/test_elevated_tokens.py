"""V10, V14: what an approval gives is one token, at one API, of one agent, and no more."""

from typing import Any

import pytest

from support.agents_http import new_key, outcome
from support.asking import Asking
from support.world import CALENDAR, PAY


class TestAnAssertion:
    """V14: used up by each answer, and at each endpoint."""

    def test_is_used_up_whatever_is_answered(self, asking: Asking) -> None:
        planner, asked = asking.agent, asking.asked()

        def told(answer: Any, status: int) -> None:
            assert answer.status_code == status, answer.text

        for first, status in (
            (lambda used: asking.poll(asked, client_assertion=used), 400),
            (lambda used: asking.poll("nonsense", client_assertion=used), 400),
            (lambda used: asking.ask(client_assertion=used), 200),
            (lambda used: asking.ask(binding_message="\u200b", client_assertion=used), 400),
            (lambda used: self._step_up(asking, used), 400),
        ):
            used = planner.client_assertion()
            told(first(used), status)
            told(asking.ask(client_assertion=used), 401)
            told(asking.poll(asked, client_assertion=used), 401)
            told(self._step_up(asking, used), 401)

    def _step_up(self, asking: Asking, used: str) -> Any:
        return asking.agent.exchange(
            asking.hold,
            resource=PAY,
            scope="pay:transfer",
            binding_message="x",
            client_assertion=used,
        )


class TestTheElevatedToken:
    """V10: it is one token, at one API, of one agent."""

    @pytest.fixture
    def elevated(self, asking: Asking) -> str:
        asked = asking.asked()
        asking.say_yes()
        return str(asking.poll(asked).json()["access_token"])

    def test_makes_nothing_more(self, asking: Asking, elevated: str) -> None:
        planner, before = asking.agent, len(asking.world.events("delegation.issued"))
        issuer = asking.world.metadata["issuer"]
        for answer in (
            planner.exchange(elevated),
            planner.exchange(elevated, resource=PAY),
            planner.exchange(elevated, resource=issuer),
            planner.exchange(elevated, audience="booker", scope="pay:transfer"),
            planner.exchange(elevated, scope="calendar:read", resource=CALENDAR),
            planner.ask_to_spawn(elevated, "pay:transfer", new_key()),
            planner.exchange(elevated, resource=PAY, scope="pay:transfer", binding_message="x"),
            planner.exchange(asking.hold, actor_token=elevated, scope="pay:transfer"),
            asking.ask(login_hint_token=elevated),
        ):
            assert answer.status_code == 400, answer.text
        assert len(asking.world.events("delegation.issued")) == before

    def test_nor_does_a_refresh(self, asking: Asking) -> None:
        consented = asking.world.consent("planner", asking.person).json()
        asking.hold = consented["access_token"]
        asked = asking.asked()
        asking.say_yes()
        asking.poll(asked)
        answer = asking.agent.post(
            "token_endpoint",
            grant_type="refresh_token",
            refresh_token=consented["refresh_token"],
            scope="pay:transfer",
        )
        assert outcome(answer) == (400, "interaction_required")

    def test_others_learn_nothing_of_it(self, asking: Asking, elevated: str) -> None:
        world = asking.world
        for other in (world.api("calendar-api"), world.agent("mallory")):
            assert other.introspect(elevated).json() == {"active": False}
        assert outcome(world.agent("mallory").exchange(elevated))[0] == 400

    def test_revoked_it_ends_alone_and_is_not_given_again(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes()
        token = asking.poll(asked).json()["access_token"]
        asking.world.agent("mallory").revoke(token)
        assert asking.world.is_active(token, "pay-api")
        asking.agent.revoke(token)
        assert not asking.world.is_active(token, "pay-api")
        assert outcome(asking.poll(asked)) == (400, "invalid_grant")
        assert asking.agent.introspect(asking.hold).json()["active"] is True
