"""`private_key_jwt`: an assertion for this issuer alone, short-lived, and used once."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from support.agents_http import (
    Agent,
    jwks,
    new_key,
    outcome,
    thumbprint,
    unix_time,
)
from support.world import World, present

pytestmark = pytest.mark.section("RFC 7523", "3")

FAILED = (401, "invalid_client")
DEEP_HEADER = b'{"alg":' + b"[" * 10_000


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def encode(header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def usual_claims(world: World, **changed: Any) -> dict[str, Any]:
    now, issuer = unix_time(), world.metadata["issuer"]
    claims = {"iss": "planner", "sub": "planner", "aud": issuer, "iat": now, "exp": now + 60}
    return claims | {"jti": thumbprint(new_key())} | changed


def unsigned(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_a_good_one_authenticates(world: World) -> None:
    assert present(world, world.agent("planner").client_assertion()).status_code == 200


class TestClaims:
    """What it says, and what it must."""

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": None},
            {"sub": None},
            {"aud": None},
            {"exp": None},
            {"jti": None},
            {"iss": "booker"},
            {"sub": "booker"},
            {"iss": "booker", "sub": "booker"},
            {"sub": ["planner"]},
            {"sub": "nobody", "iss": "nobody"},
            {"aud": ""},
            {"aud": []},
            {"aud": "https://other.example"},
            {"aud": "planner"},
            {"jti": ""},
            {"jti": 7},
            {"jti": ["a"]},
            {"jti": {"a": 1}},
            {"jti": True},
            {"jti": "a" * 257},
            {"jti": "a" * 10_000},
            {"exp": "9999999999"},
            {"exp": True},
            {"exp": []},
            {"exp": -1},
            {"exp": 0},
            {"nbf": "soon"},
            {"exp": float("nan")},
            {"exp": float("inf")},
            {"exp": 10**400},
        ],
        ids=lambda claims: str(claims)[:40],
    )
    def test_one_without_or_with_a_wrong_one_fails(
        self, world: World, claims: dict[str, Any]
    ) -> None:
        assert outcome(present(world, world.agent("planner").client_assertion(**claims))) == FAILED

    def test_the_audience_is_the_issuer_and_nothing_else(self, world: World) -> None:
        planner, metadata = world.agent("planner"), world.metadata
        issuer = metadata["issuer"]
        others: list[Any] = [metadata["token_endpoint"], f"{issuer}/", issuer.upper()]
        others += [[issuer, "https://other.example"], ["https://other.example", issuer]]
        others += [[issuer, metadata["token_endpoint"]], {issuer: 1}, [[issuer]]]
        for aud in others:
            assert outcome(present(world, planner.client_assertion(aud=aud))) == FAILED, aud

    @pytest.mark.parametrize("ahead", [330, 400, 3600, 10**9])
    def test_it_ends_within_five_minutes(self, world: World, ahead: int) -> None:
        late = world.agent("planner").client_assertion(exp=unix_time() + ahead)
        assert outcome(present(world, late)) == FAILED

    @pytest.mark.parametrize("ahead", [30, 290, 30.5])
    def test_and_any_time_before_is_good(self, world: World, ahead: float) -> None:
        in_time = world.agent("planner").client_assertion(exp=unix_time() + ahead)
        assert present(world, in_time).status_code == 200

    @pytest.mark.parametrize("ago", [1, 60, 10**9])
    def test_one_that_ended_fails(self, world: World, ago: int) -> None:
        old = world.agent("planner").client_assertion(exp=unix_time() - ago)
        assert outcome(present(world, old)) == FAILED

    def test_one_that_is_not_good_yet_fails(self, world: World) -> None:
        early = world.agent("planner").client_assertion(nbf=unix_time() + 60)
        assert outcome(present(world, early)) == FAILED

    @pytest.mark.parametrize("name", ["sub", "jti", "iss", "aud"])
    def test_text_that_cannot_be_encoded_fails(self, world: World, name: str) -> None:
        for text in ("\ud800", "a\x00b"):
            claims = usual_claims(world, **{name: text})
            token = raw_jwt(world.keys["planner"], json.dumps(claims).encode())
            assert outcome(present(world, token)) == FAILED, text


def raw_jwt(key: ECKey, payload: bytes, **header: Any) -> str:
    """Sign bytes that no JWT library would."""
    usual = {"alg": "ES256", "kid": thumbprint(key)}
    return jws.serialize_compact(usual | header, payload, key)


class TestSignature:
    """The key is one that the agent registered, the algorithm one of a list."""

    def test_another_key_fails(self, world: World) -> None:
        stranger = Agent("planner", world.metadata, key=new_key())
        assert outcome(present(world, stranger.client_assertion())) == FAILED

    def test_another_agents_key_fails(self, world: World) -> None:
        other = Agent("planner", world.metadata, key=world.keys["booker"])
        assert outcome(present(world, other.client_assertion())) == FAILED

    def test_another_key_under_the_right_kid_fails(self, world: World) -> None:
        header = {"alg": "ES256", "kid": thumbprint(world.keys["planner"])}
        assert outcome(present(world, encode(header, usual_claims(world), new_key()))) == FAILED

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
    def test_an_unsigned_one_fails(self, world: World, alg: str) -> None:
        parts = [unsigned({"alg": alg}), unsigned(usual_claims(world))]
        for signature in ("", "AAAA"):
            assert outcome(present(world, ".".join([*parts, signature]))) == FAILED

    @pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
    def test_an_hmac_with_the_public_key_fails(self, world: World, alg: str) -> None:
        key = world.keys["planner"]
        secrets = [key.as_pem(private=False), json.dumps(jwks(key)).encode()]
        secrets += [json.dumps(key.as_dict(private=False)).encode()]
        for secret in secrets:
            header = {"alg": alg, "kid": thumbprint(key)}
            signed = f"{unsigned(header)}.{unsigned(usual_claims(world))}"
            mac = hmac.new(secret, signed.encode(), getattr(hashlib, f"sha{alg[2:]}")).digest()
            assert outcome(present(world, f"{signed}.{unsigned(mac)}")) == FAILED

    def test_a_key_of_the_header_is_not_believed(self, world: World) -> None:
        key = new_key()
        header = {"alg": "ES256", "jwk": key.as_dict(private=False)}
        assert outcome(present(world, encode(header, usual_claims(world), key))) == FAILED

    def test_nor_is_a_kid_that_is_not_registered(self, world: World) -> None:
        header = {"alg": "ES256", "kid": "../../dev/null"}
        forged = encode(header, usual_claims(world), world.keys["planner"])
        assert outcome(present(world, forged)) == FAILED

    def test_a_changed_payload_fails(self, world: World) -> None:
        head, _, signature = world.agent("planner").client_assertion().split(".")
        changed = unsigned(usual_claims(world))
        assert outcome(present(world, f"{head}.{changed}.{signature}")) == FAILED

    @pytest.mark.parametrize(
        "assertion",
        [
            "",
            "a",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "..",
            f"{unsigned([])}.{unsigned([])}.",
            f"{unsigned({})}.{unsigned({'sub': 'planner'})}.",
            f"{unsigned({'alg': 7})}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned({'alg': ['ES256']})}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned({'alg': 'ES256', 'kid': 7})}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned({'alg': 'ES256', 'kid': {}})}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned({'alg': 'ES256', 'crit': ['x']})}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned(b'[' * 10_000)}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned({'alg': 'ES256'})}.{unsigned(b'[' * 10_000)}.AAAA",
            f"{unsigned({'alg': 'ES256'})}.{unsigned(b'1' * 10_000)}.AAAA",
            f"{unsigned(b'1' * 10_000)}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned(DEEP_HEADER)}.{unsigned({'sub': 'planner'})}.AAAA",
            f"{unsigned({'alg': 'ES256'})}.{unsigned({'sub': 'planner'})}.!!!!",
            "é.é.é",
            "a" * 60_000,
        ],
        ids=lambda assertion: assertion[:30],
    )
    def test_what_is_no_jwt_fails(self, world: World, assertion: str) -> None:
        assert outcome(present(world, assertion)) == FAILED

    @pytest.mark.parametrize("payload", [b"[" * 5_000, b"1" * 5_000, b"{", b"\xff", b"null"])
    def test_what_is_signed_and_no_object_fails(self, world: World, payload: bytes) -> None:
        assert outcome(present(world, raw_jwt(world.keys["planner"], payload))) == FAILED


class TestType:
    """An access token, an ID token or another JWT is no assertion."""

    @pytest.mark.parametrize(
        "typ", ["at+jwt", "secevent+jwt", "dpop+jwt", "logout+jwt", "oauth-id-jag+jwt", ""]
    )
    def test_another_type_fails(self, world: World, typ: str) -> None:
        key = world.keys["planner"]
        payload = json.dumps(usual_claims(world)).encode()
        assert outcome(present(world, raw_jwt(key, payload, typ=typ))) == FAILED

    @pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
    def test_these_are_good(self, world: World, typ: str) -> None:
        key = world.keys["planner"]
        payload = json.dumps(usual_claims(world)).encode()
        assert present(world, raw_jwt(key, payload, typ=typ)).status_code == 200

    @pytest.mark.parametrize("typ", ["JWT", "at+jwt", "client-authentication+jwt"])
    def test_what_the_server_signed_is_nobodys_assertion(self, world: World, typ: str) -> None:
        assert outcome(present(world, world.forge(usual_claims(world), typ))) == FAILED

    def test_an_access_token_is_none(self, world: World) -> None:
        own = present(world, world.agent("planner").client_assertion()).json()["access_token"]
        assert outcome(present(world, own)) == FAILED

    @pytest.mark.parametrize(
        "of", ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"]
    )
    def test_another_assertion_type_fails(self, world: World, of: str) -> None:
        assertion = world.agent("planner").client_assertion()
        assert outcome(present(world, assertion, client_assertion_type=of)) == FAILED


class TestKeySet:
    """An agent may have several keys, and others than P-256."""

    def test_each_key_of_the_set_is_good(self, world: World) -> None:
        keys = [new_key(), new_key()]
        both = {"keys": [jwks(key)["keys"][0] for key in keys]}
        world.register("two-keys", jwks=json.dumps(both))
        for key in keys:
            agent = Agent("two-keys", world.metadata, key=key)
            assert present(world, agent.client_assertion()).status_code == 200

    def test_a_symmetric_key_is_never_one(self, world: World) -> None:
        secret = OctKey.generate_key(256)
        header = {"alg": "HS256"}
        assert outcome(present(world, encode(header, usual_claims(world), secret))) == FAILED
