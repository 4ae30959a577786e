"""CIBA Core §10, §11: the client comes back, and gets what the person said."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from deputize.approvals.decide import Outcome
from support.agents_http import decode, outcome
from support.asking import Asking
from support.world import CALENDAR, PAY, World

pytestmark = pytest.mark.section("CIBA Core 1.0", "10, 11")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


class TestWhileItWaits:
    def test_it_is_pending_and_faster_is_too_fast(self, asking: Asking) -> None:
        asked = asking.asked()
        assert outcome(asking.poll(asked)) == (400, "authorization_pending")
        assert outcome(asking.poll(asked)) == (400, "slow_down")
        asking.world.pass_time(6)
        assert outcome(asking.poll(asked)) == (400, "slow_down")  # ten by now
        asking.world.pass_time(16)
        assert outcome(asking.poll(asked)) == (400, "authorization_pending")

    def test_polling_fills_no_disk(self, asking: Asking) -> None:
        asked = asking.asked()
        before = len(asking.world.events())
        for _ in range(5):
            asking.poll(asked)
        assert len(asking.world.events()) == before

    def test_it_expires(self, asking: Asking) -> None:
        asked = asking.asked(requested_expiry="30")
        asking.world.pass_time(31)
        assert asking.say_yes() == Outcome.OVER
        assert outcome(asking.poll(asked)) == (400, "expired_token")

    def test_an_approval_that_nobody_comes_back_for_lapses(self, asking: Asking) -> None:
        asked = asking.asked(requested_expiry="30")
        asking.say_yes()
        asking.world.pass_time(31)
        assert outcome(asking.poll(asked)) == (400, "expired_token")


class TestAfterAYes:
    def test_the_token_holds_what_was_approved(self, asking: Asking) -> None:
        asked = asking.asked()
        assert asking.say_yes() == Outcome.DONE
        answer = asking.poll(asked)
        assert outcome(answer) == (200, "none")
        told = answer.json()
        assert (told["token_type"], told["scope"]) == ("Bearer", "pay:transfer")
        assert "refresh_token" not in told
        claims = decode(told["access_token"])[1]
        assert (claims["sub"], claims["aud"]) == (asking.person, PAY)
        assert (claims["act"]["sub"], claims["client_id"]) == ("planner", "planner")
        assert claims["task_id"] == decode(asking.hold)[1]["task_id"]
        assert (claims["auth_time"], claims["acr"], claims["amr"]) == (1764000000, "pwd", ["pwd"])
        assert asking.world.is_active(told["access_token"], "pay-api")

    def test_the_id_token_has_the_person_and_no_profile(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes()
        header, claims = decode(asking.poll(asked).json()["id_token"])
        assert header["typ"] == "JWT"
        assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "acr", "amr"}
        assert (claims["sub"], claims["aud"]) == (asking.person, "planner")

    def test_the_chain_is_kept_below_a_hand_over(self, asking: Asking) -> None:
        """The known defect of others: a CIBA token without its `act` chain."""
        world = asking.world
        taken = world.hand_over(asking.hold, "planner", "booker", "flights:search")
        booker = Asking(world, world.agent("booker"), taken, asking.person)
        asked = booker.asked()
        booker.say_yes()
        claims = decode(booker.poll(asked).json()["access_token"])[1]
        assert claims["act"]["sub"] == "booker"
        assert claims["act"]["act"]["sub"] == "planner"
        assert claims["sub"] == asking.person

    def test_it_holds_less_where_the_person_gave_less(self, asking: Asking) -> None:
        both = ("calendar:write", "calendar:read")
        asking.hold = asking.world.hold("planner", asking.person, untick=both)
        asked = asking.asked(scope="openid calendar:write calendar:read", resource=CALENDAR)
        asking.say_yes(scope=frozenset({"calendar:write"}), lifetime=60)
        told = asking.poll(asked).json()
        assert told["scope"] == "calendar:write"
        assert told["expires_in"] <= 60

    def test_more_than_was_asked_cannot_be_given(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes(scope=frozenset({"pay:transfer", "calendar:read"}), lifetime=10**6)
        told = asking.poll(asked).json()
        assert told["scope"] == "pay:transfer"
        assert told["expires_in"] <= 300

    def test_a_repeat_at_once_is_the_same_token_and_later_none(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes()
        first, second = (asking.poll(asked).json()["access_token"] for _ in range(2))
        assert decode(first)[1]["jti"] == decode(second)[1]["jti"]
        asking.world.pass_time(31)
        assert outcome(asking.poll(asked)) == (400, "invalid_grant")

    def test_twenty_at_once_are_one_token(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: asking.poll(asked), range(20)))
        assert {a.status_code for a in answers} == {200}
        tokens = [a.json()["access_token"] for a in answers]
        assert len({decode(t)[1]["jti"] for t in tokens}) == 1
        issued = [
            e for e in asking.world.events("delegation.issued")
            if e["facts"]["jti"] == decode(tokens[0])[1]["jti"]
        ]  # fmt: skip
        assert len(issued) == 1

    def test_another_clients_id_disturbs_nothing(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes()
        mallory = asking.world.agent("mallory")
        assert outcome(asking.poll(asked, mallory)) == (400, "invalid_grant")
        assert asking.poll(asked).status_code == 200

    @pytest.mark.parametrize("auth_req_id", ["", "nonsense", "x" * 5000])
    def test_an_id_that_is_none(self, asking: Asking, auth_req_id: str) -> None:
        expected = "invalid_grant" if auth_req_id else "invalid_request"
        assert outcome(asking.poll(auth_req_id)) == (400, expected)


class TestAfterANo:
    def test_it_is_denied(self, asking: Asking) -> None:
        asked = asking.asked()
        assert asking.say_no() == Outcome.DONE
        assert outcome(asking.poll(asked)) == (400, "access_denied")

    def test_no_yes_comes_after_it_and_no_no_after_a_yes(self, asking: Asking) -> None:
        asking.asked()
        (card,) = asking.cards()
        assert asking.say_no(card) == Outcome.DONE
        assert asking.say_yes(card) == Outcome.CHANGED
        asked = Asking(asking.world, asking.agent, asking.hold, asking.person)
        assert asked.cards()[0].status == "denied"


class TestWhatTheElevatedTokenIsGoodFor:
    """PROTOCOL §4: an elevated scope passes no exchange, the actor's own included."""

    @pytest.fixture
    def elevated(self, asking: Asking) -> str:
        asked = asking.asked()
        asking.say_yes()
        return str(asking.poll(asked).json()["access_token"])

    def test_it_is_not_renewed(self, asking: Asking, elevated: str) -> None:
        for scope in (None, "pay:transfer"):
            assert outcome(asking.agent.exchange(elevated, scope=scope)) == (400, "invalid_scope")

    def test_it_is_not_handed_over(self, asking: Asking, elevated: str) -> None:
        given = asking.agent.exchange(elevated, audience="booker", scope="pay:transfer")
        assert outcome(given) == (400, "invalid_scope")

    def test_it_asks_for_nothing_more(self, asking: Asking, elevated: str) -> None:
        assert outcome(asking.ask(login_hint_token=elevated)) == (400, "invalid_scope")

    def test_the_hold_has_not_got_it(self, asking: Asking, elevated: str) -> None:
        refused = asking.agent.exchange(asking.hold, resource=PAY, scope="pay:transfer")
        assert outcome(refused) == (400, "interaction_required")

    def test_it_ends_with_what_it_hangs_on(self, asking: Asking, elevated: str) -> None:
        asking.agent.revoke(asking.hold)
        assert not asking.world.is_active(elevated, "pay-api")


class TestEverythingIsLookedAtAgain:
    def test_under_a_delegation_that_has_ended_nothing_is_decided(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.agent.revoke(asking.hold)
        assert asking.say_yes() == Outcome.OVER
        assert asking.poll(asked).status_code == 400

    def test_nor_redeemed(self, asking: Asking) -> None:
        asked = asking.asked()
        asking.say_yes()
        asking.agent.revoke(asking.hold)
        assert outcome(asking.poll(asked)) == (400, "access_denied")

    def test_nor_once_the_ceiling_has_shrunk(self, asking: Asking) -> None:
        world = asking.world
        world.register("shrinking")
        asking.hold = world.hold("shrinking", asking.person)
        asking.agent = world.agent("shrinking")
        asked = asking.asked()
        asking.say_yes()
        world.edit("shrinking", scope=frozenset({"calendar:read"}))
        assert asking.poll(asked).status_code == 400


class TestFromTheExchange:
    """PROTOCOL §5: a token exchange that carries `binding_message` asks by itself."""

    def test_it_answers_pending_with_an_id_and_the_id_is_redeemed(self, asking: Asking) -> None:
        answer = asking.agent.exchange(
            asking.hold, resource=PAY, scope="pay:transfer", binding_message="TP1234"
        )
        assert outcome(answer) == (400, "authorization_pending")
        told = answer.json()
        assert 0 < told["expires_in"] <= 300
        assert told["interval"] == 5
        asking.say_yes()
        assert asking.poll(told["auth_req_id"]).json()["scope"] == "pay:transfer"

    def test_the_same_again_is_no_second_card(self, asking: Asking) -> None:
        for _ in range(2):
            asking.agent.exchange(
                asking.hold, resource=PAY, scope="pay:transfer", binding_message="TP1234"
            )
        assert len(asking.cards()) == 1

    def test_without_it_nothing_is_started(self, asking: Asking) -> None:
        answer = asking.agent.exchange(asking.hold, resource=PAY, scope="pay:transfer")
        assert outcome(answer) == (400, "interaction_required")
        assert asking.cards() == []

    def test_what_no_approval_would_change_is_refused_as_ever(self, asking: Asking) -> None:
        answer = asking.agent.exchange(
            asking.hold, resource=CALENDAR, scope="pay:transfer", binding_message="TP1234"
        )
        assert outcome(answer) == (400, "invalid_scope")
        assert asking.cards() == []
