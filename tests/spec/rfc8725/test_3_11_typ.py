"""One `typ` per verifier: a JWT of one type is accepted by no verifier of another.

Each forgery here has the claims of a good token, and but for two the server's own signature.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from support.agents_http import (
    ACCESS_TOKEN,
    JWT_BEARER,
    Agent,
    decode,
    http,
    jwks,
    new_key,
    outcome,
    register,
)
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 8725", "3.11")

Forge = Callable[[World, str], str]
OTHER_TYPES = ["JWT", "jwt", "AT+JWT", "application/at+jwt", "secevent+jwt", "logout+jwt"]
OTHER_TYPES += ["oauth-id-jag+jwt", "token-introspection+jwt", "statuslist+jwt", "dpop+jwt", ""]


def of_type(typ: str) -> Forge:
    return lambda world, token: world.forge(decode(token)[1], typ)


def id_token(world: World, token: str) -> str:
    """What an OpenID provider says of a sign-in."""
    claims = decode(token)[1]
    said = {name: claims[name] for name in ("iss", "sub", "iat", "exp", "auth_time", "acr", "amr")}
    return world.forge(said | {"aud": "planner", "azp": "planner", "nonce": "n"}, "JWT")


def login_token(world: World, token: str) -> str:
    """An access token of the person itself, with no agent in it."""
    claims = {k: v for k, v in decode(token)[1].items() if k not in ("act", "delegation_id")}
    return world.forge(claims)


def without_act(world: World, token: str) -> str:
    return world.forge({k: v for k, v in decode(token)[1].items() if k != "act"})


def by_the_agents_key(world: World, token: str) -> str:
    return signed(world.keys["planner"], decode(token)[1], decode(token)[0]["kid"])


def by_a_strangers_key(world: World, token: str) -> str:
    return signed(new_key(), decode(token)[1], decode(token)[0]["kid"])


def by_a_key_in_the_header(world: World, token: str) -> str:
    key = new_key()
    header = {"alg": "ES256", "typ": "at+jwt", "jwk": key.as_dict(private=False)}
    return jws.serialize_compact(header, json.dumps(decode(token)[1]).encode(), key)


def unsigned(world: World, token: str) -> str:
    header = {"alg": "none", "typ": "at+jwt", "kid": decode(token)[0]["kid"]}
    return f"{encoded(json.dumps(header).encode())}.{token.split('.')[1]}."


def by_hmac_with_the_public_key(world: World, token: str) -> str:
    (public,) = http.get(world.metadata["jwks_uri"]).json()["keys"]
    header = {"alg": "HS256", "typ": "at+jwt", "kid": public["kid"]}
    said = f"{encoded(json.dumps(header).encode())}.{token.split('.')[1]}"
    pem = ECKey.import_key(public).as_pem(private=False)
    return f"{said}.{encoded(hmac.new(pem, said.encode(), hashlib.sha256).digest())}"


def client_assertion(world: World, token: str) -> str:
    return world.agent("planner").client_assertion(**decode(token)[1])


def changed(world: World, token: str) -> str:
    head, _, signature = token.split(".")
    more = decode(token)[1] | {"scope": "calendar:read pay:transfer"}
    return f"{head}.{encoded(json.dumps(more).encode())}.{signature}"


def signed(key: ECKey, claims: dict[str, Any], kid: str) -> str:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


FORGERIES = {
    **{f"typ {typ or 'empty'}": of_type(typ) for typ in OTHER_TYPES},
    "an ID token": id_token,
    "one by the agent's key": by_the_agents_key,
    "one by a stranger's key": by_a_strangers_key,
    "one by a key in its header": by_a_key_in_the_header,
    "an unsigned one": unsigned,
    "an HMAC with the public key": by_hmac_with_the_public_key,
    "a client assertion": client_assertion,
    "a changed one": changed,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
class TestRefusedEverywhere:
    """At each place where an access token is read."""

    def test_as_a_subject_token(
        self, world: World, planner: Agent, hold: str, forge: Forge
    ) -> None:
        assert outcome(planner.exchange(forge(world, hold))) == (400, "invalid_request")

    def test_as_an_actor_token(self, world: World, planner: Agent, hold: str, forge: Forge) -> None:
        answer = planner.exchange(
            hold, actor_token=forge(world, hold), actor_token_type=ACCESS_TOKEN
        )
        assert outcome(answer) == (400, "invalid_request")

    def test_at_introspection(self, world: World, planner: Agent, hold: str, forge: Forge) -> None:
        for_calendar = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        assert world.api().introspect(forge(world, for_calendar)).json() == {"active": False}
        assert planner.introspect(forge(world, hold)).json() == {"active": False}

    def test_at_revocation(self, world: World, planner: Agent, hold: str, forge: Forge) -> None:
        planner.revoke(forge(world, hold))
        assert planner.introspect(hold).json()["active"]

    def test_as_a_client_assertion(self, world: World, hold: str, forge: Forge) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": forge(world, hold),
        }
        answer = http.post(world.metadata["token_endpoint"], data=form)
        assert outcome(answer) == (401, "invalid_client")

    def test_as_an_initial_access_token(self, world: World, hold: str, forge: Forge) -> None:
        members = {"redirect_uris": ["https://a.example/cb"], "jwks": jwks(new_key())}
        answer = register(world.metadata, forge(world, hold), **members)
        assert outcome(answer) == (401, "invalid_token")


@pytest.mark.parametrize("forge", [login_token, without_act])
def test_an_access_token_with_no_agent_in_it_is_nobodys_delegation(
    world: World, planner: Agent, hold: str, forge: Forge
) -> None:
    assert outcome(planner.exchange(forge(world, hold))) == (400, "invalid_request")


def test_the_tokens_of_another_server_are_none(world: World, planner: Agent, hold: str) -> None:
    claims = decode(hold)[1] | {"iss": "https://other.example"}
    assert planner.exchange(world.forge(claims)).is_client_error
