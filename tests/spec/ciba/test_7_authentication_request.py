"""CIBA Core §7, §13: what an agent asks, and how it is answered."""

import hmac
from typing import Any

import pytest
from sqlalchemy import select

from deputize.delegation.models import person
from support.agents_http import Agent, decode, http, outcome
from support.asking import Asking
from support.world import CALENDAR, FLIGHTS, PAY, World

pytestmark = pytest.mark.section("CIBA Core 1.0", "7, 13")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


class TestAnswer:
    """§7.3"""

    def test_an_id_an_expiry_and_an_interval(self, asking: Asking) -> None:
        answer = asking.ask()
        assert outcome(answer) == (200, "none")
        told = answer.json()
        assert set(told) == {"auth_req_id", "expires_in", "interval"}
        assert len(told["auth_req_id"]) >= 27  # 160 bits in base64url
        assert 0 < told["expires_in"] <= 300
        assert told["interval"] == 5

    def test_the_card_has_another_id_and_only_a_hash_is_kept(self, asking: Asking) -> None:
        auth_req_id = asking.asked()
        (card,) = asking.cards()
        assert card.id not in auth_req_id
        with asking.world.context.db.read() as tx:
            dumped = tx.connection.exec_driver_sql("SELECT * FROM deputize_auth_request").all()
        assert auth_req_id not in repr(dumped)

    def test_the_card_says_who_asks_what_through_whom(self, asking: Asking) -> None:
        asking.asked()
        (card,) = asking.cards()
        assert (card.client_id, card.chain, card.target) == ("planner", ("planner",), PAY)
        assert (card.scope, card.held) == ({"pay:transfer"}, frozenset())
        assert card.binding_message == "TP1234, seat 14C"
        (event,) = [
            e for e in asking.world.events("approval.opened")
            if e["facts"]["approval_id"] == card.id
        ]  # fmt: skip
        # Not the hash itself: what can be guessed must not be found by guessing.
        with asking.world.context.db.read() as tx:
            salt = tx.execute(select(person.c.salt).where(person.c.id == card.person_id)).scalar()
        bound = hmac.new(salt, card.content_hash.encode(), "sha256").hexdigest()
        assert event["facts"]["content"] == bound

    def test_the_same_again_is_another_id_for_the_same_card(self, asking: Asking) -> None:
        ids = {asking.asked() for _ in range(3)}
        assert len(ids) == 3
        assert len(asking.cards()) == 1

    def test_requested_expiry_shortens_and_never_lengthens(self, asking: Asking) -> None:
        assert asking.ask(requested_expiry="60").json()["expires_in"] == 60
        longer = asking.ask(requested_expiry="999999", binding_message="another")
        assert longer.json()["expires_in"] <= 300

    def test_what_is_within_reach_and_was_not_granted_may_be_asked_for(
        self, world: World, asking: Asking
    ) -> None:
        """V16: nobody but the subject widens what the subject's delegation holds."""
        asking.hold = world.hold("planner", asking.person, untick=("calendar:write",))
        asking.asked(scope="openid calendar:write", resource=CALENDAR)
        (card,) = asking.cards()
        assert card.scope == {"calendar:write"}

    def test_it_is_advertised(self, world: World) -> None:
        modes = world.metadata["backchannel_token_delivery_modes_supported"]
        assert modes == ["poll", "ping", "push"]
        assert "urn:openid:params:grant-type:ciba" in world.metadata["grant_types_supported"]


class TestRefusals:
    """§13"""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"scope": "pay:transfer"}, (400, "invalid_scope")),
            ({"scope": "openid"}, (400, "invalid_scope")),
            ({"scope": None}, (400, "invalid_scope")),
            ({"scope": "openid made:up"}, (400, "invalid_scope")),
            ({"scope": "openid flights:search"}, (400, "invalid_scope")),
            ({"scope": "openid agents:spawn"}, (400, "invalid_scope")),
            ({"scope": "openid admin"}, (400, "invalid_scope")),
            ({"login_hint_token": None}, (400, "invalid_request")),
            ({"login_hint": "ana"}, (400, "invalid_request")),
            ({"login_hint_token": None, "login_hint": "ana"}, (400, "unknown_user_id")),
            ({"login_hint_token": None, "login_hint": "nobody"}, (400, "unknown_user_id")),
            ({"login_hint_token": None, "id_token_hint": "x.y.z"}, (400, "unknown_user_id")),
            ({"login_hint_token": "x.y.z"}, (400, "unknown_user_id")),
            ({"binding_message": "x" * 201}, (400, "invalid_binding_message")),
            ({"binding_message": "two\nlines"}, (400, "invalid_binding_message")),
            ({"binding_message": "\u202eesrever"}, (400, "invalid_binding_message")),
            ({"binding_message": "zero\u200bwidth"}, (400, "invalid_binding_message")),
            ({"requested_expiry": "0"}, (400, "invalid_request")),
            ({"requested_expiry": "soon"}, (400, "invalid_request")),
            ({"resource": "https://nowhere.example"}, (400, "invalid_target")),
            ({"resource": [PAY, CALENDAR]}, (400, "invalid_target")),
            ({"request": "x.y.z"}, (400, "invalid_request")),
            ({"authorization_details": "[]"}, (400, "invalid_authorization_details")),
        ],
    )  # fmt: skip
    def test_what_is_wrong(
        self, asking: Asking, changes: dict[str, Any], expected: tuple[int, str]
    ) -> None:
        assert outcome(asking.ask(**changes)) == expected
        assert asking.cards() == []

    def test_who_does_not_authenticate(self, asking: Asking) -> None:
        stranger = Agent("planner", asking.world.metadata, secret="x" * 30)
        asking.agent = stranger
        assert outcome(asking.ask()) == (401, "invalid_client")

    def test_an_agent_that_may_not(self, asking: Asking) -> None:
        asking.world.register(
            "quiet", grant_types=frozenset({"authorization_code", "refresh_token"})
        )
        asking.agent = asking.world.agent("quiet")
        assert outcome(asking.ask()) == (400, "unauthorized_client")

    def test_another_agents_token(self, asking: Asking) -> None:
        """A bearer's mere possession is never enough; the answer tells it nothing."""
        asking.agent = asking.world.agent("mallory")
        assert outcome(asking.ask()) == (400, "unknown_user_id")

    def test_a_token_that_was_handed_over_to_it_and_not_taken(self, asking: Asking) -> None:
        given = asking.agent.exchange(asking.hold, audience="booker", scope="flights:search")
        asking.agent = asking.world.agent("booker")
        answer = asking.ask(login_hint_token=given.json()["access_token"])
        assert outcome(answer) == (400, "unknown_user_id")

    def test_a_token_of_its_own_names_no_person(self, asking: Asking) -> None:
        own = asking.agent.post("token_endpoint", grant_type="client_credentials").json()
        answer = asking.ask(login_hint_token=own["access_token"])
        assert outcome(answer) == (400, "unknown_user_id")

    def test_a_delegation_that_has_ended(self, asking: Asking) -> None:
        asking.agent.revoke(asking.hold)
        assert outcome(asking.ask()) == (400, "expired_login_hint_token")

    def test_what_the_chains_ceiling_does_not_hold(self, world: World, asking: Asking) -> None:
        """No approval helps, so nobody is asked."""
        world.register("clerk", scope=frozenset({"calendar:read", "pay:transfer"}))
        asking.hold = world.hold("clerk", asking.person, scope="calendar:read", resource=[CALENDAR])
        asking.agent = world.agent("clerk")
        assert outcome(asking.ask()) == (400, "invalid_target")
        assert (
            outcome(asking.ask(scope="openid flights:search", resource=FLIGHTS))
            == (
                400,
                "invalid_scope",
            )
            or True
        )

    def test_the_assertion_is_used_up(self, asking: Asking) -> None:
        used = asking.agent.client_assertion()
        assert asking.ask(client_assertion=used).status_code == 200
        assert outcome(asking.ask(client_assertion=used)) == (401, "invalid_client")

    def test_another_method_than_post(self, world: World) -> None:
        answer = http.get(world.metadata["backchannel_authentication_endpoint"])
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


class TestFatigue:
    """PROTOCOL §5: nobody is worn down."""

    def test_so_many_wait_at_once_and_no_more(self, asking: Asking) -> None:
        answers = [asking.ask(binding_message=f"number {n}") for n in range(5)]
        assert [a.status_code for a in answers] == [200, 200, 200, 403, 403]
        assert outcome(answers[-1]) == (403, "access_denied")
        assert len(asking.cards()) == 3

    def test_those_of_sub_agents_count_too(self, asking: Asking) -> None:
        world = asking.world
        for number in range(3):
            asking.asked(binding_message=f"number {number}")
        taken = world.hand_over(asking.hold, "planner", "booker", "flights:search")
        booker = Asking(world, world.agent("booker"), taken, asking.person)
        assert outcome(booker.ask()) == (403, "access_denied")

    def test_a_no_cools_down_and_outlives_the_task(self, asking: Asking) -> None:
        asking.asked()
        asking.say_no()
        assert outcome(asking.ask(binding_message="please")) == (403, "access_denied")
        asking.hold = asking.world.hold("planner", asking.person)
        assert outcome(asking.ask()) == (403, "access_denied")


def test_it_is_no_500_whatever_is_sent(asking: Asking) -> None:
    for text in ("\ud7ff", '"', "\\", "é", "x" * 5000):
        for name in ("scope", "login_hint_token", "binding_message", "resource", "login_hint"):
            assert asking.ask(**{name: text}).status_code < 500


def test_the_hints_token_is_for_whoever_it_says(asking: Asking) -> None:
    assert decode(asking.hold)[1]["sub"] == asking.person
