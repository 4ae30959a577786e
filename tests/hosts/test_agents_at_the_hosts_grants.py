"""An agent is refused by every grant of the host's own: the host does not know it.

What the plugin does not answer falls through to a server that never heard of agents, and
what it answers gives nothing that was the host's to give. Nothing of the host is used up.
"""

from collections.abc import Callable

import httpx
import pytest

from hosts.served import Client, Site
from idp.browser import SECRET, s256
from support.agents_http import Agent, decode, http, outcome
from support.world import CALLBACK
from support.world import SECRET as AGENT_SECRET

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def webapp(site: Site) -> Client:
    return site.client()


def by_key(site: Site) -> Agent:
    return site.agent("planner")


def by_secret(site: Site) -> Agent:
    return site.with_secret("clerk")


def by_nothing(site: Site) -> Agent:
    return Agent("gadget", site.metadata)


@pytest.fixture(params=[by_key, by_secret, by_nothing])
def agent(request: pytest.FixtureRequest, site: Site) -> Agent:
    made: Callable[[Site], Agent] = request.param
    return made(site)


@pytest.mark.needs("clients")
@pytest.mark.parametrize("client_id", ["planner", "clerk", "gadget", "calendar-api"])
def test_the_host_knows_no_agent_and_no_resource_server(site: Site, client_id: str) -> None:
    """By construction: none is among the host's clients."""
    with site.app.app_context():
        assert site.hosting.knows_client("webapp")
        assert not site.hosting.knows_client(client_id)


@pytest.mark.needs("clients")
def test_a_code_of_the_host(site: Site, webapp: Client, agent: Agent) -> None:
    code = webapp.code(site.browser())
    before = site.host_rows()
    refused = agent.post(
        "token_endpoint", grant_type="authorization_code", code=code, redirect_uri=CALLBACK,
        code_verifier=webapp.verifier,
    )  # fmt: skip
    assert outcome(refused) == (400, "invalid_grant")
    assert site.host_rows() == before
    assert webapp.redeem(code).status_code == 200


@pytest.mark.needs("clients")
def test_a_refresh_token_of_the_host(site: Site, webapp: Client, agent: Agent) -> None:
    token = webapp.tokens(site.browser())["refresh_token"]
    before = site.host_rows()
    refused = agent.post("token_endpoint", grant_type="refresh_token", refresh_token=token)
    assert outcome(refused) == (400, "invalid_grant")
    assert site.host_rows() == before
    assert webapp.refresh(token).status_code == 200


@pytest.mark.parametrize("scope", [None, "profile", "reports"])
def test_client_credentials(site: Site, agent: Agent, scope: str | None) -> None:
    """An agent may act for itself, with a token of ours; no scope of the host's is in it."""
    before = site.host_rows()
    answer = agent.post("token_endpoint", grant_type="client_credentials", scope=scope)
    assert site.host_rows() == before
    if scope is not None:
        assert outcome(answer) in ((400, "invalid_scope"), (400, "unauthorized_client"))
    elif answer.status_code == 200:
        header, claims = decode(answer.json()["access_token"])
        assert (header["typ"], claims["sub"]) == ("at+jwt", agent.client_id)
    else:
        assert outcome(answer) == (400, "unauthorized_client")
        assert agent.client_id == "gadget"  # which proves nothing of itself


@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "none"]
)
def test_any_other_grant(site: Site, agent: Agent, grant_type: str) -> None:
    refused = agent.post(
        "token_endpoint", grant_type=grant_type, username="ana", password="correct horse battery"
    )
    assert outcome(refused) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("response_type", ["token", "id_token", "code id_token", "none"])
def test_no_other_response_type(site: Site, response_type: str) -> None:
    """No implicit flow, whatever the host has."""
    answer = site.browser().get(
        "/oauth/authorize",
        params={
            "client_id": "planner", "response_type": response_type, "redirect_uri": CALLBACK,
            "scope": "calendar:read", "code_challenge": s256("v" * 43),
            "code_challenge_method": "S256",
        },
    )  # fmt: skip
    assert answer.status_code == 303
    told = httpx.URL(answer.headers["Location"]).params
    assert told["error"] == "unsupported_response_type"


def test_the_agents_secret_opens_nothing_in_the_url(site: Site) -> None:
    """Some servers read parameters of the URL too: there, an agent is unknown to the host."""
    before = site.host_rows()
    answer = http.post(
        f"{site.url}/oauth/token",
        params={"client_id": "clerk", "client_secret": AGENT_SECRET},
        data={"grant_type": "client_credentials"},
    )
    assert answer.status_code in (400, 401)
    assert "access_token" not in answer.text
    assert site.host_rows() == before


@pytest.mark.needs("clients")
@pytest.mark.parametrize("secret", [SECRET, AGENT_SECRET])
def test_no_agent_passes_for_a_client_of_the_host(site: Site, secret: str) -> None:
    """Nor the other way: a secret is good for the one that it was given to."""
    grant = {"grant_type": "client_credentials"}
    own = {"webapp": SECRET, "clerk": AGENT_SECRET}
    for client_id, its_own in own.items():
        answer = http.post(f"{site.url}/oauth/token", data=grant, auth=(client_id, secret))
        assert (answer.status_code == 200) == (secret == its_own), (client_id, answer.text)
