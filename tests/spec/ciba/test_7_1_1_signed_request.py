"""CIBA Core §7.1.1: an authentication request that its agent signed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from deputize.core.secrets import digest
from support.agents_http import jwks, new_key, outcome, register, thumbprint
from support.asking import Asking
from support.request_object import request_object, send
from support.world import PAY, SECRET, World, present

pytestmark = pytest.mark.section("CIBA Core 1.0", "7.1.1")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def signer(world: World, asking: Asking) -> Iterator[Asking]:
    """Planner, who registered that it signs what it asks."""
    world.edit("planner", request_signing_alg="ES256")
    yield asking
    world.edit("planner", request_signing_alg=None)


class TestAccepted:
    def test_what_is_asked_is_in_it(self, asking: Asking) -> None:
        assert outcome(send(asking, request_object(asking))) == (200, "none")
        (card,) = asking.cards()
        assert (card.scope, card.target) == ({"pay:transfer"}, PAY)
        assert card.binding_message == "TP1234, seat 14C"

    def test_a_number_is_a_number(self, asking: Asking) -> None:
        answer = send(asking, request_object(asking, requested_expiry=60))
        assert answer.json()["expires_in"] == 60

    @pytest.mark.parametrize("typ", ["JWT", None])
    def test_a_typ_that_names_no_other_kind(self, asking: Asking, typ: str | None) -> None:
        header = {"typ": typ}
        assert outcome(send(asking, request_object(asking, header=header))) == (200, "none")

    def test_a_plain_parameter_that_says_the_same(self, asking: Asking) -> None:
        request = request_object(asking)
        assert outcome(asking.ask(request=request)) == (200, "none")

    def test_it_is_advertised(self, world: World) -> None:
        name = "backchannel_authentication_request_signing_alg_values_supported"
        offered = world.metadata[name]
        assert {"ES256", "PS256", "Ed25519"} <= set(offered)
        assert not any(alg == "none" or alg.startswith("HS") for alg in offered)


class TestRefused:
    """One family of rules, all of them `invalid_request`; nobody is asked anything."""

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": None},
            {"iss": "booker"},
            {"sub": "planner"},
            {"aud": None},
            {"aud": "https://elsewhere.example"},
            {"aud": ["https://elsewhere.example"]},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"jti": "x" * 2000},
            {"iat": None},
            {"iat": "now"},
            {"iat": 4_000_000_000},
            {"nbf": None},
            {"nbf": 4_000_000_000},
            {"exp": None},
            {"exp": 1},
            {"exp": 4_000_000_000},
            {"exp": True},
            {"scope": ["openid", "pay:transfer"]},
            {"binding_message": 7},
            {"binding_message": "a\x00b"},
            {"requested_expiry": True},
            {"requested_expiry": 1.5},
            {"requested_expiry": 10**400},
            {"resource": {"a": 1}},
            {"login_hint_token": None},
            {"login_hint": "ana"},
        ],
    )
    def test_what_is_malformed(self, asking: Asking, claims: dict[str, Any]) -> None:
        assert outcome(send(asking, request_object(asking, **claims))) == (400, "invalid_request")
        assert asking.cards() == []

    @pytest.mark.parametrize(
        "typ", ["at+jwt", "client-authentication+jwt", "secevent+jwt", "logout+jwt", "dpop+jwt"]
    )
    def test_the_typ_of_another_kind(self, asking: Asking, typ: str) -> None:
        """V17: a JWT of one type is accepted by no verifier of another."""
        signed = request_object(asking, header={"typ": typ})
        assert outcome(send(asking, signed)) == (400, "invalid_request")

    def test_what_is_not_by_its_own_key(self, asking: Asking) -> None:
        booker = asking.world.keys["booker"]
        for key in (new_key(), booker):
            signed = request_object(asking, key=key)
            assert outcome(send(asking, signed)) == (400, "invalid_request")
        assert asking.cards() == []

    def test_what_is_not_signed_at_all(self, asking: Asking) -> None:
        _, payload, _ = request_object(asking).split(".")
        unsigned = f"eyJhbGciOiJub25lIn0.{payload}."
        for request in (unsigned, payload, "x.y.z", "..", "x" * 20_000, "é"):
            assert outcome(send(asking, request)) == (400, "invalid_request")
        assert asking.cards() == []

    def test_hmac_by_the_public_key(self, asking: Asking) -> None:
        """RFC 8725 §2.1: what is public is no secret."""
        key = asking.agent.key
        assert key
        header = {"alg": "HS256", "typ": "oauth-authz-req+jwt", "kid": thumbprint(key)}
        said = f"{encoded(json.dumps(header).encode())}.{request_object(asking).split('.')[1]}"
        mac = hmac.new(key.as_pem(private=False), said.encode(), hashlib.sha256).digest()
        assert outcome(send(asking, f"{said}.{encoded(mac)}")) == (400, "invalid_request")
        assert asking.cards() == []

    @pytest.mark.parametrize(
        "plain",
        [
            {"scope": "openid calendar:write"},
            {"binding_message": "something else"},
            {"requested_expiry": "60"},
            {"login_hint": "ana"},
            {"resource": "https://calendar.example"},
            {"resource": [PAY, PAY]},
        ],
    )
    def test_a_plain_parameter_that_differs(self, asking: Asking, plain: dict[str, Any]) -> None:
        """ "Authentication request parameters MUST NOT be present outside of the JWT" """
        answer = send(asking, request_object(asking), **plain)
        assert outcome(answer) == (400, "invalid_request")
        assert asking.cards() == []

    def test_a_secret_is_no_key_to_sign_by(self, asking: Asking) -> None:
        asking.world.register(
            "by-secret",
            token_endpoint_auth_method="client_secret_basic",
            secret_digest=digest(SECRET),
            jwks=None,
        )
        key, asking.agent = asking.agent.key, asking.world.with_secret("by-secret")
        signed = request_object(asking, key=key)
        assert outcome(send(asking, signed)) == (400, "invalid_request")


class TestOnce:
    """Its `jti` is good once, whatever became of it."""

    def test_a_replay(self, asking: Asking) -> None:
        signed = request_object(asking)
        assert outcome(send(asking, signed)) == (200, "none")
        assert outcome(send(asking, signed)) == (400, "invalid_request")

    def test_one_that_was_refused_is_used_up(self, asking: Asking) -> None:
        """V14: else it would come back when what stood in its way is gone."""
        signed = request_object(asking, scope="openid made:up")
        assert outcome(send(asking, signed)) == (400, "invalid_scope")
        assert outcome(send(asking, signed)) == (400, "invalid_request")

    def test_one_that_differed_outside_is_used_up(self, asking: Asking) -> None:
        signed = request_object(asking)
        assert outcome(send(asking, signed, scope="openid x")) == (400, "invalid_request")
        assert outcome(send(asking, signed)) == (400, "invalid_request")
        assert asking.cards() == []

    def test_one_that_is_replayed_uses_up_the_assertion(self, asking: Asking) -> None:
        signed, assertion = request_object(asking), asking.agent.client_assertion()
        send(asking, signed)
        replayed = send(asking, signed, client_assertion=assertion)
        assert outcome(replayed) == (400, "invalid_request")
        fresh = request_object(asking)
        assert outcome(send(asking, fresh, client_assertion=assertion)) == (401, "invalid_client")
        # And what came with a used assertion is not used up: nobody vouched for it.
        assert outcome(send(asking, fresh)) == (200, "none")

    def test_another_agents_jti_is_another(self, asking: Asking) -> None:
        """Nobody uses up what somebody else will send."""
        world = asking.world
        booker = Asking(world, world.agent("booker"), asking.hold, asking.person)
        assert send(booker, request_object(booker, jti="the-same")).status_code == 400
        assert outcome(send(asking, request_object(asking, jti="the-same"))) == (200, "none")


class TestConfusion:
    """RFC 9101 §10.8, V17: a request is no client assertion, an assertion is no request."""

    def test_a_request_is_no_client_assertion(self, world: World, asking: Asking) -> None:
        for header in ({"typ": "JWT"}, {"typ": None}, {}):
            signed = request_object(asking, header=header)
            assert outcome(present(world, signed)) == (401, "invalid_client")

    def test_a_client_assertion_is_no_request(self, asking: Asking) -> None:
        assertion = asking.agent.client_assertion()
        assert outcome(send(asking, assertion)) == (400, "invalid_request")


class TestRegistered:
    """§4: `backchannel_authentication_request_signing_alg`"""

    def test_unsigned_requests_are_refused(self, signer: Asking) -> None:
        assert outcome(signer.ask()) == (400, "invalid_request")
        assert outcome(send(signer, request_object(signer))) == (200, "none")

    def test_and_those_by_another_alg(self, world: World, signer: Asking) -> None:
        world.edit("planner", request_signing_alg="PS256")
        assert outcome(send(signer, request_object(signer))) == (400, "invalid_request")

    def test_an_exchange_asks_nobody(self, signer: Asking) -> None:
        """It is not signed: whoever has the agent's secret alone asks nobody."""
        answer = signer.agent.exchange(
            signer.hold, resource=PAY, scope="pay:transfer", binding_message="hello"
        )
        assert outcome(answer) == (400, "interaction_required")
        assert signer.cards() == []

    def test_it_is_registered_and_told(self, world: World) -> None:
        name, key = "backchannel_authentication_request_signing_alg", new_key()
        usual = {
            "client_name": "Signer",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks(key),
            "scope": "calendar:read",
            "redirect_uris": ["http://127.0.0.1/callback"],
        }
        answer = register(world.metadata, **usual, **{name: "ES256"})
        assert answer.status_code == 201, answer.text
        assert answer.json()[name] == "ES256"
        for alg in ("none", "HS256", "RS1", 7, ["ES256"]):
            refused = register(world.metadata, **usual, **{name: alg})
            assert outcome(refused) == (400, "invalid_client_metadata")

    def test_it_needs_a_key(self, world: World) -> None:
        answer = register(
            world.metadata,
            client_name="Signer",
            token_endpoint_auth_method="client_secret_basic",
            scope="calendar:read",
            redirect_uris=["http://127.0.0.1/callback"],
            backchannel_authentication_request_signing_alg="ES256",
        )
        assert outcome(answer) == (400, "invalid_client_metadata")


def test_each_refusal_names_its_rule(world: World, asking: Asking) -> None:
    signed = request_object(asking)
    send(asking, signed)
    before = {e["id"] for e in world.events()}
    send(asking, signed)
    send(asking, request_object(asking, key=new_key()))
    send(asking, request_object(asking, iss="booker"))
    told = {e["rule"] for e in world.events("backchannel.refused") if e["id"] not in before}
    assert told == {"signed.replayed", "signed.not_by_its_key", "signed.malformed"}
