"""The access token: its header, its claims, and nothing personal but the subject."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from support.agents_http import Agent, decode, http, unix_time
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 9068", "2")


@pytest.fixture(scope="module")
def tokens(world: World, hold: str) -> dict[str, str]:
    """One of each kind that a person's authority can come in."""
    planner = world.agent("planner")
    given = planner.exchange(hold, audience="booker", scope="calendar:read")
    return {
        "for the issuer": hold,
        "for a resource server": planner.exchange(hold, resource=CALENDAR).json()["access_token"],
        "for another agent": given.json()["access_token"],
        "taken": world.hand_over(hold, "planner", "booker", "calendar:read"),
    }


KINDS = ("for the issuer", "for a resource server", "for another agent", "taken")


@pytest.mark.parametrize("kind", KINDS)
class TestEveryToken:
    """Whatever it is for."""

    def test_the_header(self, world: World, tokens: dict[str, str], kind: str) -> None:
        header = decode(tokens[kind])[0]
        kids = [key["kid"] for key in http.get(world.metadata["jwks_uri"]).json()["keys"]]
        assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
        assert header["kid"] in kids

    def test_anybody_can_verify_it(self, world: World, tokens: dict[str, str], kind: str) -> None:
        keys = KeySet.import_key_set(http.get(world.metadata["jwks_uri"]).json())
        assert jwt.decode(tokens[kind], keys, algorithms=["ES256"]).claims["sub"] == "ana"

    def test_the_claims(self, world: World, tokens: dict[str, str], kind: str) -> None:
        claims = decode(tokens[kind])[1]
        required = {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "act"}
        required |= {"sub_profile", "delegation_id", "task_id"}
        assert required <= claims.keys()
        assert claims["iss"] == world.metadata["issuer"]
        assert claims["act"]["sub"] == claims["client_id"]
        assert isinstance(claims["aud"], str)

    def test_nothing_is_told_beyond_these(self, tokens: dict[str, str], kind: str) -> None:
        """No personal data beyond `sub`."""
        known = {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "act"}
        known |= {"sub_profile", "delegation_id", "task_id", "auth_time", "acr", "amr"}
        known |= {"may_act"} if kind == "for another agent" else set()
        assert decode(tokens[kind])[1].keys() == known

    def test_how_the_person_signed_in(self, tokens: dict[str, str], kind: str) -> None:
        claims = decode(tokens[kind])[1]
        signed_in = {name: claims[name] for name in ("auth_time", "acr", "amr")}
        assert signed_in == {"auth_time": 1_764_000_000, "acr": "pwd", "amr": ["pwd"]}

    def test_it_lives_five_minutes(self, tokens: dict[str, str], kind: str) -> None:
        claims = decode(tokens[kind])[1]
        assert claims["exp"] - claims["iat"] == 300
        assert abs(claims["iat"] - unix_time()) < 60


def test_no_two_tokens_have_one_jti(planner: Agent, hold: str) -> None:
    tokens = [planner.exchange(hold).json()["access_token"] for _ in range(20)]
    assert len({decode(token)[1]["jti"] for token in tokens}) == 20


def test_each_token_that_was_handed_out_has_its_event(world: World) -> None:
    planner = world.agent("planner")
    handed_out = [world.hold()]
    handed_out.append(planner.exchange(handed_out[0], resource=CALENDAR).json()["access_token"])
    handed_out.append(planner.exchange(handed_out[0]).json()["access_token"])
    own = planner.post("token_endpoint", grant_type="client_credentials").json()["access_token"]
    told: list[dict[str, Any]] = world.events("delegation.issued")
    for token in handed_out:
        assert [e["facts"]["jti"] for e in told].count(decode(token)[1]["jti"]) == 1
    of_its_own = [e["facts"]["jti"] for e in world.events("agent.token_issued")]
    assert of_its_own.count(decode(own)[1]["jti"]) == 1


def test_no_event_holds_a_token_or_a_secret(world: World, hold: str) -> None:
    granted = world.consent().json()
    written = " ".join(str(e["body"]) for e in world.events())
    for secret in (hold, granted["access_token"], granted["refresh_token"]):
        assert secret not in written


def test_a_scope_with_a_lifetime_of_its_own_shortens_it(world: World) -> None:
    brief = Scope("calendar:purge", CALENDAR, "Purge your calendar", token_lifetime=30)
    declare_scope(world.context.db, brief)
    world.register("purger", scope=frozenset({"calendar:read", "calendar:purge"}))
    root = world.hold("purger", scope="calendar:read calendar:purge")
    purger = world.agent("purger")
    assert purger.exchange(root, resource=CALENDAR).json()["expires_in"] == 30
    asked = {"resource": CALENDAR, "scope": "calendar:read"}
    assert purger.exchange(root, **asked).json()["expires_in"] == 300
