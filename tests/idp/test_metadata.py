"""Discovery (RFC 8414, OpenID Connect Discovery): it promises what works, and no more."""

from typing import Any

import httpx
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.browser import Application, Browser, query_of
from idp.conftest import Idp


@pytest.fixture(scope="module")
def document(idp: Idp) -> dict[str, Any]:
    return dict(httpx.get(f"{idp.url}/.well-known/openid-configuration").json())


def test_both_addresses_say_the_same(idp: Idp, document: dict[str, Any]) -> None:
    oauth = httpx.get(f"{idp.url}/.well-known/oauth-authorization-server")
    assert oauth.json() == document
    assert oauth.headers["cache-control"] == "max-age=300"


def test_it_is_valid(document: dict[str, Any]) -> None:
    AuthorizationServerMetadata(document).validate()
    OpenIDProviderMetadata(document).validate()


def test_the_issuer_is_the_configured_one(idp: Idp) -> None:
    answer = httpx.get(
        f"{idp.url}/.well-known/openid-configuration", headers={"Host": "evil.example"}
    )
    assert answer.json()["issuer"] == idp.url
    assert "evil" not in answer.text


def test_every_endpoint_answers(document: dict[str, Any]) -> None:
    for name, url in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert httpx.get(url).status_code != 404, name


def test_nothing_else_answers_under_oauth(idp: Idp, document: dict[str, Any]) -> None:
    promised = {url for url in document.values() if isinstance(url, str)}
    rules = {rule.rule for rule in idp.app.url_map.iter_rules() if rule.rule.startswith("/oauth/")}
    assert {f"{idp.url}{rule}" for rule in rules} <= promised


def test_every_grant_is_known_and_no_other(document: dict[str, Any], webapp: Application) -> None:
    others = ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code"]
    for grant in document["grant_types_supported"] + others:
        known = webapp.call("/oauth/token", grant_type=grant).json()["error"]
        assert (known == "unsupported_grant_type") == (grant in others)


def test_every_prompt_is_known(
    document: dict[str, Any], stranger: Browser, webapp: Application
) -> None:
    for prompt in [*document["prompt_values_supported"], "create"]:
        answer = stranger.get("/oauth/authorize", params=webapp.request_parameters(prompt=prompt))
        refused = query_of(answer.headers["location"]).get("error") == "invalid_request"
        assert refused == (prompt == "create")


def test_the_scopes_and_claims_are_given(
    document: dict[str, Any], ana: Browser, webapp: Application
) -> None:
    tokens = webapp.tokens(ana, scope=" ".join(document["scopes_supported"]))
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    claims = webapp.get("/oauth/userinfo", headers=bearer).json()
    assert claims.keys() <= set(document["claims_supported"])


def test_every_answer_has_the_security_headers(idp: Idp, stranger: Browser) -> None:
    for path in ("/sign-in", "/oauth/jwks", "/oauth/token", "/nowhere", "/static/idp.css"):
        headers = stranger.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert stranger.get("/sign-in").headers["cache-control"] == "no-store"
