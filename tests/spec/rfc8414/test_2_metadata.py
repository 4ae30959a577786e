"""The metadata says exactly what works: what it names is tried, what it does not is refused."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from deputize.core.secrets import digest
from support.agents_http import JWT_BEARER, Agent, http, outcome, pkce, unix_time
from support.world import CALENDAR, SECRET, World, authorize_url

pytestmark = pytest.mark.section("RFC 8414", "2")

DOCUMENT = "/.well-known/oauth-authorization-server"
KEYS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "ES384": lambda: ECKey.generate_key("P-384"),
    "ES512": lambda: ECKey.generate_key("P-521"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
    **{
        name: lambda: RSAKey.generate_key(2048)
        for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    },
}
ADVERTISED = ["ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"]
ENDPOINTS = {
    "authorization_endpoint",
    "token_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
    "backchannel_authentication_endpoint",
    "pushed_authorization_request_endpoint",
    "approvals_endpoint",
    "tasks_endpoint",
}


@pytest.fixture(scope="module")
def by_method(world: World) -> dict[str, Agent]:
    secret = {"jwks": None, "secret_digest": digest(SECRET)}
    for method in ("client_secret_basic", "client_secret_post"):
        world.register(f"by-{method}", token_endpoint_auth_method=method, **secret)
    world.register("by-none", token_endpoint_auth_method="none", jwks=None)
    return {
        "private_key_jwt": world.agent("planner"),
        "client_secret_basic": world.with_secret("by-client_secret_basic"),
        "client_secret_post": Agent("by-client_secret_post", world.metadata),
        "none": Agent("by-none", world.metadata),
    }


class TestDocument:
    """Where everything is, under the one issuer."""

    def test_the_issuer_is_the_one_it_is_fetched_from(self, world: World) -> None:
        assert world.metadata["issuer"] == world.url

    def test_the_endpoints_are_these(self, world: World) -> None:
        assert {name for name in world.metadata if name.endswith("_endpoint")} == ENDPOINTS
        for name in ENDPOINTS:
            assert world.metadata[name].startswith(f"{world.url}/")

    def test_all_of_them_answer(self, world: World) -> None:
        for name in ENDPOINTS - {"approvals_endpoint"}:
            assert http.post(world.metadata[name]).status_code in (400, 401), name
        assert http.get(world.metadata["approvals_endpoint"]).status_code == 401

    def test_the_pages_are_there(self, world: World) -> None:
        for name in ("agents_page", "approvals_page"):
            assert world.browser().get(world.metadata[name]).status_code == 200

    def test_both_documents_are_served(self, world: World) -> None:
        """Paths are found through RFC 8414 and OpenID Connect Discovery, both served."""
        openid = http.get(f"{world.url}/.well-known/openid-configuration")
        assert openid.status_code == 200
        assert openid.json()["token_endpoint"] == world.metadata["token_endpoint"]

    def test_the_scopes_are_those_of_the_catalogue_and_an_agents_own(self, world: World) -> None:
        said = set(http.get(world.url + DOCUMENT).json()["scopes_supported"])
        assert {"calendar:read", "pay:transfer", "agents:spawn", "tasks"} <= said
        assert not {"admin", "approvals"} & said

    @pytest.mark.parametrize(
        "member",
        [
            "userinfo_endpoint",
            "device_authorization_endpoint",
            "end_session_endpoint",
            "dpop_signing_alg_values_supported",
            "authorization_details_types_supported",
        ],
    )
    def test_what_is_not_there_is_not_named(self, world: World, member: str) -> None:
        assert member not in world.metadata


class TestJwks:
    """`jwks_uri`: the public keys that tokens are signed with, and nothing private."""

    def test_the_keys_are_public(self, world: World) -> None:
        keys = http.get(world.metadata["jwks_uri"]).json()["keys"]
        assert keys
        for key in keys:
            assert not {"d", "k", "p", "q", "dp", "dq", "qi"} & key.keys()
            assert (key["use"], key["alg"], key["kty"]) == ("sig", "ES256", "EC")

    def test_each_has_an_id_of_its_own(self, world: World) -> None:
        kids = [key["kid"] for key in http.get(world.metadata["jwks_uri"]).json()["keys"]]
        assert len(set(kids)) == len(kids)


class TestGrants:
    """`grant_types_supported`: each is known, and no other is."""

    def test_they_are_these(self, world: World) -> None:
        assert set(world.metadata["grant_types_supported"]) == {
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:openid:params:grant-type:ciba",
        }

    def test_each_gives_a_token(self, world: World) -> None:
        planner, granted = world.agent("planner"), world.consent().json()
        refresh = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
        assert "access_token" in granted  # authorization_code
        assert planner.post("token_endpoint", **refresh).status_code == 200
        assert planner.exchange(granted["access_token"]).status_code == 200
        own = planner.post("token_endpoint", grant_type="client_credentials")
        assert own.status_code == 200

    def test_only_the_code_is_given_by_the_authorization_endpoint(self, world: World) -> None:
        assert world.metadata["response_types_supported"] == ["code"]
        assert world.metadata["response_modes_supported"] == ["query"]
        assert world.metadata["code_challenge_methods_supported"] == ["S256"]

    @pytest.mark.parametrize("mode", ["fragment", "form_post", "query.jwt"])
    def test_no_other_response_mode_works(self, world: World, mode: str) -> None:
        url = authorize_url(world.metadata, "planner", pkce()[1], response_mode=mode)
        location = world.browser().get(url).headers.get("Location", "")
        assert "error=invalid_request" in location.partition("?")[2]


class TestAuthenticationMethods:
    """Each method that is named works where it is named, and no other does."""

    @pytest.mark.parametrize(
        "method", ["private_key_jwt", "client_secret_basic", "client_secret_post", "none"]
    )
    @pytest.mark.parametrize("endpoint", ["token", "introspection", "revocation"])
    def test_it_works_where_it_is_named(
        self, world: World, by_method: dict[str, Agent], method: str, endpoint: str
    ) -> None:
        named = world.metadata[f"{endpoint}_endpoint_auth_methods_supported"]
        params: dict[str, Any] = {"token": "x", "grant_type": "refresh_token"}
        params["refresh_token"] = "drft_x"
        if method == "client_secret_post":
            params["client_secret"] = SECRET
        status = by_method[method].post(f"{endpoint}_endpoint", **params).status_code
        assert (status != 401) == (method in named)

    def test_registration_takes_what_the_token_endpoint_names(self, world: World) -> None:
        assert set(world.metadata["token_endpoint_auth_methods_supported"]) == {
            "private_key_jwt",
            "client_secret_basic",
            "client_secret_post",
            "none",
        }


class TestAlgorithms:
    """Each algorithm that is named is believed in an assertion, and no other."""

    @pytest.mark.parametrize("endpoint", ["token", "introspection", "revocation"])
    def test_they_are_these(self, world: World, endpoint: str) -> None:
        named = world.metadata[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert sorted(named) == sorted(ADVERTISED)

    @staticmethod
    def present(world: World, alg: str) -> httpx.Response:
        key, client_id, now = KEYS[alg](), f"by-{alg}", unix_time()
        public = {**key.as_dict(private=False), "kid": key.thumbprint()}
        world.register(client_id, jwks=json.dumps({"keys": [public]}))
        claims = {"iss": client_id, "sub": client_id, "aud": world.metadata["issuer"]}
        claims |= {"exp": now + 60, "jti": key.thumbprint()}
        header = {"alg": alg, "kid": key.thumbprint()}
        form = {
            "grant_type": "client_credentials",
            "resource": CALENDAR,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": jwt.encode(header, claims, key, algorithms=[alg]),
        }
        return http.post(world.metadata["token_endpoint"], data=form)

    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
    @pytest.mark.parametrize("alg", ADVERTISED)
    def test_what_is_named_is_believed(self, world: World, alg: str) -> None:
        assert self.present(world, alg).status_code == 200

    @pytest.mark.parametrize("alg", sorted(KEYS.keys() - ADVERTISED))
    def test_what_is_not_is_refused(self, world: World, alg: str) -> None:
        assert outcome(self.present(world, alg)) == (401, "invalid_client")
