"""A token of ours at the host, and a token of the host's at ours: good for nothing.

RFC 7662 §2.2: what a caller may not know is exactly `{"active": false}`. A token of ours is
judged by us alone, whatever `token_type_hint` says.
"""

from typing import Any

import httpx
import pytest

from hosts.served import Client, Site
from idp.browser import SECRET
from support.agents_http import Agent, http, outcome
from support.world import CALENDAR

pytestmark = [pytest.mark.sqlite_only, pytest.mark.needs("clients")]

HINTS = (None, "access_token", "refresh_token", "junk")


@pytest.fixture
def webapp(site: Site) -> Client:
    return site.client()


@pytest.fixture
def api(site: Site) -> Client:
    """A client of the host's own that may introspect every token of the host."""
    return site.client("api")


@pytest.fixture(scope="module")
def ours(site: Site, planner: Agent) -> dict[str, str]:
    """One token of ours of each kind."""
    answer = site.consent().json()
    hold = answer["access_token"]
    own = planner.post("token_endpoint", grant_type="client_credentials").json()
    allowed = site.hand_over(hold, "planner", "booker", "flights:search agents:spawn")
    return {
        "hold": hold,
        "refresh token": answer["refresh_token"],
        "for an API": planner.exchange(hold, resource=CALENDAR).json()["access_token"],
        "of the agent's own": own["access_token"],
        "held by another": allowed,
    }


KINDS = ("hold", "refresh token", "for an API", "of the agent's own", "held by another")


def asked(client: Client, path: str, token: str, hint: str | None) -> httpx.Response:
    hinted = {} if hint is None else {"token_type_hint": hint}
    return client.call(path, token=token, **hinted)


@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("kind", KINDS)
class TestOursAtTheHost:
    """Introspection and revocation by a client of the host's own."""

    def test_introspection(self, api: Client, ours: dict[str, str], kind: str, hint: str) -> None:
        answer = asked(api, "/oauth/introspect", ours[kind], hint)
        assert (answer.status_code, answer.json()) == (200, {"active": False})

    def test_introspection_by_who_does_not_authenticate(
        self, site: Site, ours: dict[str, str], kind: str, hint: str
    ) -> None:
        form = {"token": ours[kind]} | ({"token_type_hint": hint} if hint else {})
        for auth in (("api", "wrong"), ("nobody", SECRET)):
            answer = http.post(f"{site.url}/oauth/introspect", data=form, auth=auth)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_revocation(
        self, site: Site, webapp: Client, ours: dict[str, str], kind: str, hint: str | None
    ) -> None:
        answer = asked(webapp, "/oauth/revoke", ours[kind], hint)
        assert answer.status_code == 200 or hint == "junk"
        assert site.agent("planner").introspect(ours["hold"]).json()["active"]
        assert site.agent("planner").introspect(ours["refresh token"]).json()["active"]
        assert site.is_active(ours["for an API"])


@pytest.mark.parametrize("kind", KINDS)
def test_userinfo_refuses_a_token_of_ours(site: Site, ours: dict[str, str], kind: str) -> None:
    answer = http.get(
        f"{site.url}{site.hosting.userinfo}", headers={"Authorization": f"Bearer {ours[kind]}"}
    )
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert "sub" not in answer.text


@pytest.mark.needs("registration")
@pytest.mark.parametrize("kind", KINDS)
class TestOursAtTheHostsRegistration:
    """RFC 7591 §3: the host's initial access tokens are its own, and so are RFC 7592's."""

    def test_as_an_initial_access_token(self, site: Site, ours: dict[str, str], kind: str) -> None:
        before = site.host_rows()
        answer = http.post(
            site.metadata["registration_endpoint"],
            json={"client_name": "mine", "redirect_uris": ["https://mine.example/callback"]},
            headers={"Authorization": f"Bearer {ours[kind]}"},
        )
        assert answer.status_code in (400, 401), answer.text
        assert "client_secret" not in answer.text
        assert site.host_rows() == before

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_as_a_registration_access_token(
        self, site: Site, ours: dict[str, str], kind: str, method: str
    ) -> None:
        before = site.host_rows()
        for client_id in ("webapp", "planner"):
            answer = http.request(
                method,
                f"{site.metadata['registration_endpoint']}/{client_id}",
                json={"client_name": "mine"},
                headers={"Authorization": f"Bearer {ours[kind]}"},
            )
            assert 400 <= answer.status_code < 500, answer.text
            assert "client_secret" not in answer.text
        assert site.host_rows() == before


def test_a_client_of_the_host_cannot_redeem_what_is_ours(
    site: Site, webapp: Client, planner: Agent
) -> None:
    """A code, a refresh token and a spawn token; each is still good for whom it was given to."""
    verifier, challenge = webapp.verifier, webapp.request_parameters()["code_challenge"]
    code = site.code(challenge)
    refused = webapp.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    redeemed = planner.post(
        "token_endpoint", grant_type="authorization_code", code=code, code_verifier=verifier,
        redirect_uri="http://127.0.0.1/callback",
    )  # fmt: skip
    assert redeemed.status_code == 200, redeemed.text

    token = redeemed.json()["refresh_token"]
    assert outcome(webapp.refresh(token))[0] in (400, 401)
    used = planner.post("token_endpoint", grant_type="refresh_token", refresh_token=token)
    assert used.status_code == 200, used.text


def test_a_client_of_the_host_cannot_exchange(webapp: Client, ours: dict[str, str]) -> None:
    answer = webapp.call(
        "/oauth/token",
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=ours["hold"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    assert outcome(answer) == (401, "invalid_client")


@pytest.fixture
def theirs(site: Site, webapp: Client) -> dict[str, Any]:
    """Tokens of the host, for a client of its own."""
    return webapp.tokens(site.browser())


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
class TestTheHostsAtOurs:
    """A token of the host, asked about or presented by those who are ours."""

    @pytest.mark.parametrize("hint", HINTS)
    def test_introspection(
        self, site: Site, theirs: dict[str, Any], kind: str, hint: str | None
    ) -> None:
        for asking in (site.api(), site.agent("planner"), site.with_secret("clerk")):
            answer = asking.introspect(theirs[kind], token_type_hint=hint)
            assert (answer.status_code, answer.json()) == (200, {"active": False})

    def test_revocation(
        self, site: Site, webapp: Client, theirs: dict[str, Any], kind: str
    ) -> None:
        for asking in (site.api(), site.agent("planner"), site.with_secret("clerk")):
            assert asking.revoke(theirs[kind]).status_code == 200
        assert webapp.is_active(theirs["access_token"])
        assert webapp.refresh(theirs["refresh_token"]).status_code == 200

    def test_exchange(self, planner: Agent, theirs: dict[str, Any], kind: str) -> None:
        for type_ in ("access_token", "refresh_token", "jwt", "id_token"):
            name = f"urn:ietf:params:oauth:token-type:{type_}"
            refused = planner.exchange(theirs[kind], subject_token_type=name)
            assert outcome(refused) == (400, "invalid_request")

    def test_as_an_initial_access_token(
        self, site: Site, theirs: dict[str, Any], kind: str
    ) -> None:
        answer = http.post(
            site.metadata["registration_endpoint"],
            json={"client_type": "agent"},
            headers={"Authorization": f"Bearer {theirs[kind]}"},
        )
        assert outcome(answer) == (401, "invalid_token")


@pytest.mark.needs("id tokens")
def test_an_id_token_of_the_host_is_nobodys_delegation(
    site: Site, planner: Agent, theirs: dict[str, Any]
) -> None:
    for type_ in ("id_token", "jwt", "access_token"):
        name = f"urn:ietf:params:oauth:token-type:{type_}"
        refused = planner.exchange(theirs["id_token"], subject_token_type=name)
        assert outcome(refused) == (400, "invalid_request")
    assert site.api().introspect(theirs["id_token"]).json() == {"active": False}
