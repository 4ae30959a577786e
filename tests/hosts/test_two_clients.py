"""A request that names two clients, one of ours and one of the host's, is 400.

RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
Whichever of the two the request would have been, neither's authority is used.
"""

import itertools
from collections.abc import Mapping

import pytest

from hosts.served import Site
from idp.browser import SECRET
from support.agents_http import JWT_BEARER, http, outcome
from support.world import CALLBACK
from support.world import SECRET as AGENT_SECRET

pytestmark = pytest.mark.sqlite_only

Named = tuple[dict[str, str], tuple[str, str] | None]


def basic(_site: Site, client_id: str, secret: str) -> Named:
    return {}, (client_id, secret)


def in_form(_site: Site, client_id: str, secret: str) -> Named:
    return {"client_id": client_id, "client_secret": secret}, None


def by_id(_site: Site, client_id: str, _secret: str) -> Named:
    return {"client_id": client_id}, None


def assertion(site: Site, client_id: str, _secret: str) -> Named:
    claims = {"iss": client_id, "sub": client_id}
    signed = site.agent("planner").client_assertion(**claims)
    return {"client_assertion_type": JWT_BEARER, "client_assertion": signed}, None


WAYS = {"Basic": basic, "secret in the form": in_form, "client_id": by_id, "assertion": assertion}
PAIRS = [
    (ours, theirs)
    for ours, theirs in itertools.product(WAYS, WAYS)
    if ours != theirs and {ours, theirs} != {"secret in the form", "client_id"}
]
ASKED: Mapping[str, dict[str, str]] = {
    "/oauth/token": {"grant_type": "client_credentials"},
    "/oauth/introspect": {"token": "x"},
    "/oauth/revoke": {"token": "x"},
}


@pytest.mark.needs("clients")
@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_one_of_ours_and_one_of_the_hosts(site: Site, path: str, ours: str, theirs: str) -> None:
    client_id = "planner" if ours == "assertion" else "clerk"
    our_form, our_auth = WAYS[ours](site, client_id, AGENT_SECRET)
    their_form, their_auth = WAYS[theirs](site, "webapp", SECRET)
    before = site.host_rows()
    answer = http.post(
        f"{site.url}{path}",
        data=ASKED[path] | our_form | their_form,
        auth=our_auth or their_auth,
    )
    assert outcome(answer) == (400, "invalid_request")
    assert site.host_rows() == before


@pytest.mark.parametrize("path", ASKED)
def test_one_parameter_that_names_both(site: Site, path: str) -> None:
    for both in (["clerk", "webapp"], ["webapp", "clerk"]):
        answer = http.post(
            f"{site.url}{path}", data=ASKED[path] | {"client_id": both, "client_secret": SECRET}
        )
        assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("path", ASKED)
def test_two_of_ours(site: Site, path: str) -> None:
    form, _ = assertion(site, "planner", "")
    answer = http.post(f"{site.url}{path}", data=ASKED[path] | form, auth=("clerk", AGENT_SECRET))
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("first", ["planner", "webapp"])
def test_at_the_authorization_endpoint(site: Site, first: str) -> None:
    """Nobody can be told: the person is (RFC 6749 §4.1.2.1)."""
    second = {"planner": "webapp", "webapp": "planner"}[first]
    usual = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "calendar:read"}
    ana = site.browser()
    in_url = ana.get("/oauth/authorize", params=usual | {"client_id": [first, second]})
    in_both = ana.post(
        "/oauth/authorize", params=usual | {"client_id": first}, data={"client_id": second}
    )
    for answer in (in_url, in_both):
        assert answer.status_code == 400, answer.headers
        assert "location" not in answer.headers
