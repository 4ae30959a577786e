"""CIBA Core §10.2: a ping says that there is an answer, and nothing of it."""

import threading

import pytest
from sqlalchemy import select

from deputize.approvals.decide import Outcome
from deputize.outbox.models import outbox
from spec.ciba.conftest import TOKEN, Tell
from support.agents_http import decode, outcome
from support.asking import Asking
from support.told import Told
from support.world import PAY, World

pytestmark = pytest.mark.section("CIBA Core 1.0", "7.1, 10.2")


@pytest.fixture(scope="module")
def world(telling_world: World) -> World:
    return telling_world


@pytest.fixture
def asking(registered: Tell) -> Asking:
    return registered("ping")


class TestTheRequest:
    def test_it_is_answered_as_one_by_poll(self, asking: Asking) -> None:
        assert set(asking.ask().json()) == {"auth_req_id", "expires_in", "interval"}

    def test_without_a_token_for_the_notification_it_is_refused(self, asking: Asking) -> None:
        refused = asking.ask(client_notification_token=None)
        assert outcome(refused) == (400, "invalid_request")

    @pytest.mark.parametrize("token", ["x" * 1025, "two words", "é", "a\r\nX: y", "=", "a=b"])
    def test_a_token_that_is_no_bearer_token_is_refused(self, asking: Asking, token: str) -> None:
        assert outcome(asking.ask(client_notification_token=token)) == (400, "invalid_request")

    def test_the_longest_token_is_taken(self, asking: Asking, endpoint: Told) -> None:
        asking.asked(client_notification_token="x" * 1024)
        asking.say_no()
        deliver(asking.world)
        assert endpoint.tokens == ["Bearer " + "x" * 1024]

    def test_at_rest_neither_the_id_nor_the_token_can_be_read(self, asking: Asking) -> None:
        auth_req_id = asking.asked()
        with asking.world.context.db.read() as tx:
            for table in ("auth_request", "outbox"):
                rows = tx.connection.exec_driver_sql(f"SELECT * FROM deputize_{table}").all()
                stored = repr(rows)
                assert auth_req_id not in stored
                assert TOKEN not in stored


class TestTheNotification:
    @pytest.mark.parametrize("says_yes", [True, False])
    def test_a_decision_is_told_by_the_id_alone(
        self, asking: Asking, endpoint: Told, says_yes: bool
    ) -> None:
        asked = asking.asked()
        assert deliver(asking.world) == 0, "not before it is decided"
        assert (asking.say_yes() if says_yes else asking.say_no()) == Outcome.DONE
        deliver(asking.world)
        assert endpoint.take() == {"auth_req_id": asked}
        assert endpoint.tokens == [f"Bearer {TOKEN}"]
        assert asking.poll(asked).status_code == (200 if says_yes else 400)

    def test_that_nobody_has_answered_is_told_too(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked(requested_expiry="30")
        asking.world.pass_time(31)
        deliver(asking.world)
        assert endpoint.take() == {"auth_req_id": asked}
        assert outcome(asking.poll(asked)) == (400, "expired_token")

    def test_each_id_of_a_card_is_told(self, asking: Asking, endpoint: Told) -> None:
        ids = {asking.asked(), asking.asked()}
        asking.say_yes()
        deliver(asking.world)
        assert {told["auth_req_id"] for told in endpoint.arrived} == ids

    def test_who_has_polled_meanwhile_is_not_told(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked()
        asking.say_yes()
        assert asking.poll(asked).status_code == 200
        deliver(asking.world)
        assert endpoint.arrived == []

    def test_it_may_poll_all_the_same_and_not_faster_than_others(self, asking: Asking) -> None:
        asked = asking.asked()
        assert outcome(asking.poll(asked)) == (400, "authorization_pending")
        assert outcome(asking.poll(asked)) == (400, "slow_down")

    def test_a_ping_is_no_second_token(self, asking: Asking, endpoint: Told) -> None:
        """The known defect of others: an `auth_req_id` that a ping client can redeem twice."""
        asked = asking.asked()
        asking.say_yes()
        deliver(asking.world)
        tokens = [asking.poll(asked).json()["access_token"] for _ in range(2)]
        assert len({decode(token)[1]["jti"] for token in tokens}) == 1
        asking.world.pass_time(31)
        assert outcome(asking.poll(asked)) == (400, "invalid_grant")
        deliver(asking.world)
        assert len(endpoint.arrived) == 1

    def test_what_the_exchange_has_asked_is_polled_for(
        self, asking: Asking, endpoint: Told
    ) -> None:
        told = asking.agent.exchange(
            asking.hold, resource=PAY, scope="pay:transfer", binding_message="TP1234"
        ).json()
        asking.say_yes()
        deliver(asking.world)
        assert endpoint.arrived == []
        assert asking.poll(told["auth_req_id"]).status_code == 200


class TestAnEndpointThatMisbehaves:
    def test_what_did_not_arrive_is_told_again(self, asking: Asking, endpoint: Told) -> None:
        asked, endpoint.status = asking.asked(), 503
        asking.say_yes()
        deliver(asking.world)
        endpoint.status = 204
        asking.world.pass_time(3)
        deliver(asking.world)
        assert endpoint.arrived == [{"auth_req_id": asked}] * 2

    def test_a_redirect_is_not_followed(self, registered: Tell, endpoint: Told) -> None:
        asking = registered("ping", f"{endpoint.url}/elsewhere")
        assert self._why_not(asking) == "HTTP 307"
        assert endpoint.arrived == []

    def test_nothing_listens_there(self, registered: Tell) -> None:
        assert "ConnectError" in self._why_not(registered("ping", "http://127.0.0.1:1/told"))

    @pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "169.254.169.254", "localhost"])
    def test_a_private_address_is_not_asked(self, registered: Tell, host: str) -> None:
        why = self._why_not(registered("ping", f"https://{host}/told"))
        assert why.endswith("is on a private address")

    def test_of_a_huge_answer_the_status_counts(self, registered: Tell, endpoint: Told) -> None:
        asking = registered("ping", f"{endpoint.url}/huge")
        asked = asking.asked()
        asking.say_yes()
        deliver(asking.world)
        assert endpoint.take() == {"auth_req_id": asked}

    def _why_not(self, asking: Asking) -> str:
        """Return why nothing was told; the answer can still be polled for."""
        asked = asking.asked()
        asking.say_yes()
        deliver(asking.world)
        assert asking.poll(asked).status_code == 200
        last = select(outbox.c.outcome).where(outbox.c.destination == asking.agent.client_id)
        with asking.world.context.db.read() as tx:
            return str(tx.execute(last).scalar_one())


def test_a_process_that_answers_sends_by_itself(
    registered: Tell, world: World, endpoint: Told
) -> None:
    """What another process decided: the line is due, and whoever sends finds it."""
    asking = registered("ping")
    asked = asking.asked()
    asking.say_yes()
    deputize = world.app.extensions["deputize"]
    sending = deputize.deliverer()
    stop = threading.Event()
    thread = threading.Thread(target=sending.run, args=(stop,))
    thread.start()
    try:
        assert endpoint.has_arrived.wait(20)
    finally:
        stop.set()
        thread.join(20)
    assert endpoint.take() == {"auth_req_id": asked}


def deliver(world: World) -> int:
    return int(world.app.extensions["deputize"].deliverer().deliver_due())
