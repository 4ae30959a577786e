"""A host's own clients and tokens work exactly as before.

Each question is put twice, to the host with agents and to the same host without. What a
client can see of the two answers is the same: the status, the members of the body and what
they say but for what is random, and the headers that tell a client or a cache what to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import pytest

from hosts.seen import allowed, seen
from hosts.served import Client, Site
from idp.browser import SECRET, Browser

pytestmark = pytest.mark.sqlite_only

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class At:
    """One of the two servers, with a client of the host's own and Ana's browser."""

    site: Site
    plain: bool

    @property
    def webapp(self) -> Client:
        return self.client("webapp")

    @property
    def ana(self) -> Browser:
        return self.site.browser(plain=self.plain)

    def client(self, client_id: str) -> Client:
        return self.site.client(client_id, plain=self.plain)

    def token(self, kind: str = "access_token") -> str:
        return str(self.webapp.tokens(self.ana)[kind])

    def userinfo(self, **headers: str) -> httpx.Response:
        return self.webapp.get(self.site.hosting.userinfo, headers=headers)


@pytest.fixture(scope="module")
def beside() -> bool:
    return True


def basic(name: str, secret: str) -> Callable[[At], httpx.Response]:
    grant = {"grant_type": "client_credentials"}
    return lambda at: at.webapp.post("/oauth/token", data=grant, auth=(name, secret))


def raw(path: str, body: bytes, **headers: str) -> Callable[[At], httpx.Response]:
    sent = FORM | headers
    auth = ("webapp", SECRET)
    return lambda at: at.webapp.post(path, content=body, headers=sent, auth=auth)


def of_method(method: str, path: str) -> Callable[[At], httpx.Response]:
    return lambda at: at.webapp.request(method, path)


def after_revoking(at: At) -> httpx.Response:
    tokens = at.webapp.tokens(at.ana)
    at.webapp.call("/oauth/revoke", token=tokens["access_token"])
    return at.webapp.call("/oauth/introspect", token=tokens["access_token"])


def twice(at: At) -> httpx.Response:
    code = at.webapp.code(at.ana)
    at.webapp.redeem(code)
    return at.webapp.redeem(code)


QUESTIONS: Mapping[str, Callable[[At], httpx.Response]] = {
    # the token endpoint
    "a code": lambda at: at.webapp.redeem(at.webapp.code(at.ana)),
    "a code twice": twice,
    "a code with a wrong verifier": lambda at: at.webapp.redeem(
        at.webapp.code(at.ana), code_verifier="w" * 43
    ),
    "an unknown code": lambda at: at.webapp.redeem("unknown"),
    "another client's code": lambda at: at.client("other").redeem(at.webapp.code(at.ana)),
    "a refresh": lambda at: at.webapp.refresh(at.token("refresh_token")),
    "an unknown refresh token": lambda at: at.webapp.refresh("unknown"),
    "client credentials": lambda at: at.webapp.call(
        "/oauth/token", grant_type="client_credentials", scope="reports"
    ),
    "too much scope": lambda at: at.webapp.call(
        "/oauth/token", grant_type="client_credentials", scope="reports calendar:read"
    ),
    "an unknown grant": lambda at: at.webapp.call("/oauth/token", grant_type="password"),
    "a wrong secret": basic("webapp", "wrong"),
    "an unknown client": basic("nobody", SECRET),
    "the secret in the form": lambda at: at.webapp.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "client_id": "webapp", "client_secret": SECRET},
    ),
    "no client": lambda at: at.webapp.post(
        "/oauth/token", data={"grant_type": "client_credentials"}
    ),
    "a header that is not Basic": lambda at: at.webapp.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": "Basic !!!"},
    ),
    "a form that is not UTF-8": raw("/oauth/token", b"grant_type=client_credentials&scope=%ff"),
    "JSON for a form": raw("/oauth/token", b"{}", **{"Content-Type": "application/json"}),
    "GET at the token endpoint": of_method("GET", "/oauth/token"),
    "OPTIONS at the token endpoint": of_method("OPTIONS", "/oauth/token"),
    # introspection and revocation
    "introspection": lambda at: at.webapp.call("/oauth/introspect", token=at.token()),
    "introspection of a refresh token": lambda at: at.webapp.call(
        "/oauth/introspect", token=at.token("refresh_token"), token_type_hint="refresh_token"
    ),
    "introspection by an API": lambda at: at.client("api").call(
        "/oauth/introspect", token=at.token()
    ),
    "introspection by another client": lambda at: at.client("other").call(
        "/oauth/introspect", token=at.token()
    ),
    "introspection of an unknown token": lambda at: at.webapp.call(
        "/oauth/introspect", token="unknown"
    ),
    "introspection of no token": lambda at: at.webapp.call("/oauth/introspect"),
    "introspection with an unknown hint": lambda at: at.webapp.call(
        "/oauth/introspect", token=at.token(), token_type_hint="junk"
    ),
    "introspection without a client": lambda at: at.webapp.post(
        "/oauth/introspect", data={"token": "x"}
    ),
    "introspection after revocation": after_revoking,
    "revocation": lambda at: at.webapp.call("/oauth/revoke", token=at.token()),
    "revocation by another client": lambda at: at.client("other").call(
        "/oauth/revoke", token=at.token()
    ),
    "revocation of an unknown token": lambda at: at.webapp.call("/oauth/revoke", token="unknown"),
    "GET at the revocation endpoint": of_method("GET", "/oauth/revoke"),
    # the API, and consent
    "userinfo": lambda at: at.userinfo(Authorization=f"Bearer {at.token()}"),
    "userinfo without a token": lambda at: at.userinfo(),
    "userinfo with an unknown token": lambda at: at.userinfo(Authorization="Bearer unknown"),
    "userinfo with too little scope": lambda at: at.userinfo(
        Authorization=f"Bearer {at.webapp.own()['access_token']}"
    ),
    "the consent page": lambda at: at.ana.get(
        "/oauth/authorize", params=at.webapp.request_parameters(prompt="consent")
    ),
    "an authorization": lambda at: at.webapp.authorize(at.ana),
    "an authorization without PKCE": lambda at: at.ana.get(
        "/oauth/authorize", params=at.webapp.request_parameters(code_challenge=None)
    ),
    "an authorization of an unknown client": lambda at: at.ana.get(
        "/oauth/authorize", params=at.webapp.request_parameters(client_id="nobody")
    ),
    "an authorization without a client": lambda at: at.ana.get("/oauth/authorize"),
    "an authorization by a form": lambda at: at.ana.post(
        "/oauth/authorize", data=at.webapp.request_parameters()
    ),
    "an authorization of nobody": lambda at: Browser(str(at.webapp.base_url)).get(
        "/oauth/authorize", params=at.webapp.request_parameters()
    ),
}  # fmt: skip


PAGES: Mapping[str, Callable[[At], httpx.Response]] = {
    "the home page": lambda at: at.ana.get("/"),
    "a page that is not there": lambda at: at.ana.get("/nowhere"),
    "HEAD at home": of_method("HEAD", "/"),
    "the sign-in page": lambda at: Browser(str(at.webapp.base_url)).get(
        at.site.hosting.sign_in_page
    ),
    "a sign-in without the page's token": lambda at: Browser(str(at.webapp.base_url)).post(
        at.site.hosting.sign_in_page, data={"username": "ana", "login": "ana"}
    ),
}


@pytest.mark.needs("clients")
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_hosts_clients_are_answered_as_before(site: Site, question: str) -> None:
    assert_as_before(site, question, QUESTIONS[question])


@pytest.mark.parametrize("question", PAGES)
def test_the_hosts_pages_are_as_before(site: Site, question: str) -> None:
    assert_as_before(site, question, PAGES[question])


def assert_as_before(site: Site, question: str, ask: Callable[[At], httpx.Response]) -> None:
    with_agents, without = At(site, plain=False), At(site, plain=True)
    expected = seen(ask(without), site.plain)
    assert (expected["status"] >= 500) == (question in site.hosting.faults)
    assert seen(ask(with_agents), site.url) == expected


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/oauth/jwks",
        "/oauth/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    ],
)
def test_the_documents_answer_other_methods_as_before(site: Site, path: str, method: str) -> None:
    """Where the host has none and the plugin serves it, it is read and nothing else."""
    with_agents = site.client()
    without = site.client(plain=True)
    now, before = with_agents.request(method, path), without.request(method, path)
    if before.status_code != 404:
        assert (now.status_code, allowed(now)) == (before.status_code, allowed(before))
    else:
        assert now.status_code in (404, 405) or method == "OPTIONS"
    assert "keys" not in now.text
    assert "token_endpoint" not in now.text
