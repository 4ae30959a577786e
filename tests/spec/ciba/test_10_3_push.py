"""CIBA Core §10.3, §12: the answer itself is pushed, and never asked for."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deputize.agents.lifecycle import Status
from deputize.approvals.decide import Outcome
from deputize.endings.edit_catalogue import declare_scope, declare_server
from spec.ciba.conftest import TOKEN, Tell
from support.agents_http import decode, outcome
from support.asking import Asking
from support.told import Told, told
from support.world import PAY, World

pytestmark = pytest.mark.section("CIBA Core 1.0", "10.3, 11, 12")


@pytest.fixture(scope="module")
def world(telling_world: World) -> World:
    return telling_world


@pytest.fixture
def asking(registered: Tell) -> Asking:
    return registered("push")


class TestWhatIsPushed:
    def test_the_answer_to_the_request_has_no_interval(self, asking: Asking) -> None:
        assert set(asking.ask().json()) == {"auth_req_id", "expires_in"}

    def test_the_token_response_with_its_id(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked()
        assert asking.say_yes() == Outcome.DONE
        deliver(asking.world)
        pushed = endpoint.take()
        members = {"auth_req_id", "access_token", "token_type", "expires_in", "scope", "id_token"}
        assert set(pushed) == members
        assert (pushed["auth_req_id"], pushed["scope"]) == (asked, "pay:transfer")
        assert endpoint.tokens == [f"Bearer {TOKEN}"]
        assert asking.world.is_active(pushed["access_token"], "pay-api")
        claims = decode(pushed["access_token"])[1]
        assert (claims["sub"], claims["client_id"]) == (asking.person, asking.agent.client_id)

    def test_the_id_token_is_tied_to_what_comes_with_it(
        self, asking: Asking, endpoint: Told
    ) -> None:
        asked = asking.asked()
        asking.say_yes()
        deliver(asking.world)
        pushed = endpoint.take()
        claims = decode(pushed["id_token"])[1]
        assert claims["urn:openid:params:jwt:claim:auth_req_id"] == asked
        half = hashlib.sha256(pushed["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()

    def test_it_is_not_to_be_polled_for(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked()
        assert outcome(asking.poll(asked)) == (400, "unauthorized_client")
        asking.say_yes()
        assert outcome(asking.poll(asked)) == (400, "unauthorized_client")
        deliver(asking.world)
        assert "access_token" in endpoint.take()

    def test_of_two_ids_each_gets_the_one_token(self, asking: Asking, endpoint: Told) -> None:
        asking.asked()
        asking.asked()
        asking.say_yes()
        deliver(asking.world)
        assert len({p["auth_req_id"] for p in endpoint.arrived}) == 2
        assert len({_jti(p) for p in endpoint.arrived}) == 1

    def test_it_goes_where_the_request_said_and_nowhere_else(
        self, asking: Asking, endpoint: Told
    ) -> None:
        """An endpoint that is registered later gets nothing of what was asked for before."""
        asked = asking.asked()
        with told() as another:
            client_id = asking.agent.client_id
            asking.world.edit(client_id, backchannel_client_notification_endpoint=another.endpoint)
            asking.say_yes()
            deliver(asking.world)
            assert another.arrived == []
        assert endpoint.take()["auth_req_id"] == asked

    def test_what_the_exchange_has_asked_is_polled_for(
        self, asking: Asking, endpoint: Told
    ) -> None:
        told_of_it = asking.agent.exchange(
            asking.hold, resource=PAY, scope="pay:transfer", binding_message="TP1234"
        ).json()
        assert "interval" in told_of_it
        asking.say_yes()
        deliver(asking.world)
        assert endpoint.arrived == []
        assert asking.poll(told_of_it["auth_req_id"]).status_code == 200

    def test_what_was_granted_for_the_task_is_pushed_at_once(
        self, asking: Asking, endpoint: Told
    ) -> None:
        asking.asked(binding_message="first")
        asking.say_yes(for_task=True)
        deliver(asking.world)
        first = endpoint.take()
        asking.asked(binding_message="second")
        deliver(asking.world)
        again = endpoint.take()
        assert again["scope"] == first["scope"]
        assert _jti(again) != _jti(first)


class TestWhatDoesNotArrive:
    def test_a_failed_push_loses_no_grant(self, asking: Asking, endpoint: Told) -> None:
        """The known defect of others: the grant is gone with the push that failed."""
        asking.asked()
        asking.say_yes()
        endpoint.status = 503
        for _ in range(3):
            deliver(asking.world)
            asking.world.pass_time(20)
        endpoint.status = 200
        deliver(asking.world)
        assert len(endpoint.arrived) == 4
        assert len({_jti(pushed) for pushed in endpoint.arrived}) == 1
        assert asking.world.is_active(endpoint.arrived[-1]["access_token"], "pay-api")
        issued = [
            e for e in asking.world.events("delegation.issued")
            if e["facts"]["jti"] == _jti(endpoint.arrived[0])
        ]  # fmt: skip
        assert len(issued) == 1

    def test_what_ended_meanwhile_is_not_pushed_again(self, asking: Asking, endpoint: Told) -> None:
        asking.asked()
        asking.say_yes()
        endpoint.status = 503
        deliver(asking.world)
        asking.agent.revoke(asking.hold)
        endpoint.arrived.clear()
        asking.world.pass_time(5)
        deliver(asking.world)
        assert "access_token" not in endpoint.take()

    def test_a_token_for_one_use_is_pushed_again_unless_it_was_used(
        self, asking: Asking, endpoint: Told
    ) -> None:
        world = asking.world
        _declare(world, single_use=True)
        try:
            asking.asked()
            asking.say_yes()
            endpoint.status = 503
            deliver(world)
            world.pass_time(5)
            deliver(world)
            first, second = endpoint.arrived
            assert not world.is_active(first["access_token"], "pay-api")
            used = world.api("pay-api").introspect(second["access_token"], use_id="one")
            assert used.json()["active"] is True
            endpoint.arrived.clear()
            world.pass_time(10)
            deliver(world)
            assert endpoint.take()["error"] == "transaction_failed"
        finally:
            _declare(world, single_use=False)


class TestErrors:
    """§12"""

    def test_a_no(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked()
        asking.say_no()
        deliver(asking.world)
        assert _error(endpoint) == (asked, "access_denied")

    def test_no_answer_in_time(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked(requested_expiry="30")
        asking.world.pass_time(31)
        deliver(asking.world)
        assert _error(endpoint) == (asked, "expired_token")

    def test_a_yes_that_could_not_be_pushed_in_time(self, asking: Asking, endpoint: Told) -> None:
        asked = asking.asked(requested_expiry="30")
        asking.say_yes()
        asking.world.pass_time(31)
        deliver(asking.world)
        assert _error(endpoint) == (asked, "expired_token")

    @pytest.mark.parametrize(
        ("happens", "expected"),
        [
            (lambda asking: asking.agent.revoke(asking.hold), "access_denied"),
            (lambda asking: asking.world.leave(asking.person), "access_denied"),
            (lambda asking: asking.world.stop(asking.agent.client_id), "transaction_failed"),
            (
                lambda asking: asking.world.stop(asking.agent.client_id, Status.RETIRED),
                "transaction_failed",
            ),
            (
                lambda asking: asking.world.edit(asking.agent.client_id, scope=frozenset()),
                "access_denied",
            ),
            (
                lambda asking: asking.world.edit(
                    asking.agent.client_id, grant_types=frozenset({"authorization_code"})
                ),
                "transaction_failed",
            ),
        ],
        ids=["ended", "the person left", "suspended", "retired", "ceiling", "grant type"],
    )
    def test_everything_is_looked_at_again_when_it_is_pushed(
        self,
        asking: Asking,
        endpoint: Told,
        happens: Callable[[Asking], Any],
        expected: str,
    ) -> None:
        asked = asking.asked()
        asking.say_yes()
        happens(asking)
        deliver(asking.world)
        assert _error(endpoint) == (asked, expected)


def deliver(world: World) -> int:
    return int(world.app.extensions["deputize"].deliverer().deliver_due())


def _declare(world: World, *, single_use: bool) -> None:
    with world.context.db.read() as tx:
        catalogue = world.context.moment(tx).catalogue
    server = replace(catalogue.servers[PAY], use_id=True)
    declare_server(world.context.db, server)
    scope = replace(catalogue.scopes["pay:transfer"], single_use=single_use)
    declare_scope(world.context.db, scope)


def _jti(pushed: dict[str, Any]) -> str:
    return str(decode(pushed["access_token"])[1]["jti"])


def _error(endpoint: Told) -> tuple[str, str]:
    pushed = endpoint.take()
    assert set(pushed) == {"auth_req_id", "error", "error_description"}
    return pushed["auth_req_id"], pushed["error"]
