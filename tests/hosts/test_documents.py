"""The host's metadata and keys, with ours joined to them, or served where it has none.

RFC 8414 §3 and OpenID Connect Discovery §4 name two addresses for what is one document here.
"""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hosts.served import Site
from support.agents_http import Agent, decode, http
from support.world import CALENDAR

pytestmark = pytest.mark.sqlite_only

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture(scope="module")
def beside() -> bool:
    return True


def document(url: str, path: str) -> dict[str, Any] | None:
    answer = http.get(url + path)
    if answer.status_code != 200:
        return None
    assert answer.headers["content-type"] == "application/json"
    told: dict[str, Any] = answer.json()
    return told


def keys_at(site: Site, *, plain: bool = False) -> list[dict[str, Any]]:
    told = document(site.plain if plain else site.url, site.hosting.jwks)
    return list(told["keys"]) if told else []


def test_both_documents_are_served_and_say_the_same(site: Site) -> None:
    """What only one of the host's tells (OpenID Connect alone, say) stays in that one."""
    oauth, openid = document(site.url, OAUTH), document(site.url, OPENID)
    assert oauth is not None
    assert openid is not None
    assert [n for n in oauth.keys() & openid if unordered(openid[n]) != unordered(oauth[n])] == []
    before = (document(site.plain, OAUTH) or {}, document(site.plain, OPENID) or {})
    # RFC 9126's are told to agents alone: applications of the host's read the other document.
    agents_alone = {n for n in oauth if "pushed_authorization" in n}
    differing = oauth.keys() ^ openid.keys()
    assert differing - agents_alone <= before[0].keys() ^ before[1].keys()


def unordered(value: Any) -> Any:
    """A member's value, of a list without its order: that of a host's own documents may differ."""
    return sorted(value) if isinstance(value, list) else value


@pytest.mark.parametrize("path", [OAUTH, OPENID])
def test_nothing_of_the_hosts_document_is_lost(site: Site, path: str) -> None:
    before, now = document(site.plain, path), document(site.url, path)
    assert now is not None
    for name, value in (before or {}).items():
        if isinstance(value, list):
            assert set(value) <= set(now[name]), name
        elif isinstance(value, str):
            assert value.replace(site.plain, site.url) == now[name], name
        else:
            assert value == now[name], name


def test_what_a_host_left_to_its_default_is_still_said(site: Site) -> None:
    """RFC 8414 §2: a member that is left out has a default, which ours must not narrow."""
    left_out = {
        "response_modes_supported": {"query", "fragment"},
        "grant_types_supported": {"authorization_code", "implicit"},
        "token_endpoint_auth_methods_supported": {"client_secret_basic"},
        "revocation_endpoint_auth_methods_supported": {"client_secret_basic"},
    }
    for path in (OAUTH, OPENID):
        before, now = document(site.plain, path), document(site.url, path)
        for name in left_out.keys() - (before or left_out).keys():
            assert left_out[name] <= set((now or {})[name]), (path, name)


def test_what_is_added_is_what_works(site: Site) -> None:
    told = document(site.url, OAUTH)
    assert told is not None
    assert told["issuer"] == site.url
    assert EXCHANGE in told["grant_types_supported"]
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert "S256" in told["code_challenge_methods_supported"]
    assert told["code_challenge_methods_supported"].count("S256") == 1
    assert told["authorization_response_iss_parameter_supported"] is True
    for name in ("agents_page", "registration_endpoint", "jwks_uri", "introspection_endpoint"):
        assert told[name].startswith(f"{site.url}/"), name
        assert http.post(told[name]).status_code < 500


def test_a_cached_document_is_served_as_before(site: Site) -> None:
    """What the host says of caching stays."""
    for path in (OAUTH, OPENID, site.hosting.jwks):
        before, now = http.get(site.plain + path), http.get(site.url + path)
        if before.status_code == 200:
            assert now.headers.get("cache-control") == before.headers.get("cache-control")


def test_head_says_what_get_would(site: Site) -> None:
    for path in (OAUTH, site.hosting.jwks):
        got, head = http.get(site.url + path), http.head(site.url + path)
        assert head.status_code == 200
        assert head.headers["content-length"] == got.headers["content-length"]
        assert not head.content


class TestKeys:
    """One set: RFC 7517 §5."""

    def test_the_hosts_keys_are_kept(self, site: Site) -> None:
        with site.app.app_context():
            theirs = site.hosting.keys()
        joined = {key["kid"]: key for key in keys_at(site)}
        assert len(joined) == len(keys_at(site)), "a kid stands twice"
        for key in theirs:
            assert joined[key["kid"]] == key

    def test_no_private_member_is_shown(self, site: Site) -> None:
        private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
        assert keys_at(site)
        assert all(private.isdisjoint(key) for key in keys_at(site))

    @pytest.mark.needs("clients", "id tokens")
    def test_an_id_token_of_the_host_still_verifies(self, site: Site) -> None:
        told = site.client().tokens(site.browser())
        keys = KeySet.import_key_set({"keys": keys_at(site)})
        verified = jwt.decode(told["id_token"], keys, algorithms=["RS256", "ES256", "PS256"])
        assert "webapp" in verified.claims["aud"]
        assert verified.claims["iss"] == site.url

    def test_a_token_of_ours_verifies_with_the_set(
        self, site: Site, planner: Agent, hold: str
    ) -> None:
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        key_set = KeySet.import_key_set({"keys": keys_at(site)})
        assert jwt.decode(token, key_set).claims["aud"] == CALENDAR

    def test_nothing_of_ours_is_signed_by_a_key_of_the_host(
        self, site: Site, planner: Agent, hold: str
    ) -> None:
        with site.app.app_context():
            theirs = site.hosting.keys()
        own = planner.post("token_endpoint", grant_type="client_credentials").json()
        for token in (hold, own["access_token"]):
            assert decode(token)[0]["kid"] not in {key["kid"] for key in theirs}
            if theirs:
                with pytest.raises((JoseError, ValueError)):
                    jwt.decode(token, KeySet.import_key_set({"keys": theirs}))
