"""The whole story on each host and each database: the host signs Ana in, and all the rest
is the plugin's, in the host's own database."""

import re
from urllib.parse import urljoin

import pytest

from hosts.served import Site
from support import agents_http
from support.world import CALENDAR, CALLBACK, FLIGHTS, authorize_url, read_form


def test_ana_deputizes_planner_and_ends_it(site: Site) -> None:
    planner, booker = site.agent("planner"), site.agent("booker")
    verifier, challenge = agents_http.pkce()
    ana = site.browser(None)

    # The agent sends Ana's browser; the host signs her in, and sends her back.
    asked = authorize_url(site.metadata, "planner", challenge)
    to_sign_in = ana.get(asked)
    assert to_sign_in.status_code == 303
    page = ana.get(to_sign_in.headers["Location"])
    signed_in = site.hosting.sign_in(ana, "ana", page)
    consent = ana.get(urljoin(site.url, signed_in.headers["Location"]))

    # The page is ours, and knows her by the host's name for her.
    assert consent.status_code == 200
    assert "planner" in consent.text
    assert site.find_person("ana").name in consent.text
    form = read_form(consent.text) | {"decision": ["allow"]}
    answer = ana.post(form.pop("action")[0], data=form)
    assert answer.status_code == 303
    told = agents_http.httpx.URL(answer.headers["Location"]).params
    assert told["iss"] == site.url

    redeemed = planner.post(
        "token_endpoint",
        grant_type="authorization_code",
        code=told["code"],
        redirect_uri=CALLBACK,
        code_verifier=verifier,
    )
    assert redeemed.status_code == 200, redeemed.text
    hold = redeemed.json()["access_token"]

    narrowed = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
    held = site.hand_over(hold, "planner", "booker", "flights:search agents:spawn")
    scout = site.spawn("booker", held, "flights:search")
    scouted = site.hand_over(held, "booker", scout, "flights:search")
    flights = site.agent(scout).exchange(scouted, resource=FLIGHTS).json()["access_token"]

    known = site.api("flights-api").introspect(flights).json()
    assert known["active"] is True
    assert known["sub"] == site.find_person("ana").key
    chain = known["act"]
    assert [chain["sub"], chain["act"]["sub"], chain["act"]["act"]["sub"]] == [
        scout,
        "booker",
        "planner",
    ]
    assert site.is_active(narrowed)

    # Ana stops planner, and all that hung on it ends with it.
    agents = ana.get("/deputize/agents")
    stop = re.search(r'href="(/deputize/agents/[^"]+/end)"', agents.text)
    assert stop is not None, agents.text
    sure = read_form(ana.get(stop[1]).text)
    ended = ana.post(sure.pop("action")[0], data=sure)
    assert ended.status_code == 303, ended.text

    assert not site.is_active(narrowed)
    assert site.api("flights-api").introspect(flights).json() == {"active": False}
    for agent, token in ((planner, hold), (booker, held), (site.agent(scout), scouted)):
        assert agents_http.outcome(agent.exchange(token))[0] in (400, 401)


def test_nobody_of_the_host_is_deputized_by_another(site: Site) -> None:
    """The subject is who signed in, by the host's immutable key."""
    tokens = {name: agents_http.decode(site.hold(person=name))[1] for name in ("ana", "eve")}
    assert {name: claims["sub"] for name, claims in tokens.items()} == {
        name: site.find_person(name).key for name in tokens
    }


def test_how_ana_signed_in_is_told_where_the_host_knows(site: Site) -> None:
    """Where it does not, the claims are left out rather than made up."""
    claims = agents_http.decode(site.hold())[1]
    told = {"auth_time", "acr", "amr"} & set(claims)
    assert told == site.hosting.told


def test_the_hosts_tables_are_left_alone(site: Site) -> None:
    """No row of ours in them, and none of theirs changed, by a whole story."""
    site.browser("ana")  # what the host stores at sign-in
    before = site.host_rows()
    hold = site.hold()
    held = site.hand_over(hold, "planner", "booker", "flights:search agents:spawn")
    site.spawn("booker", held, "flights:search")
    site.agent("planner").exchange(hold, resource=CALENDAR)
    site.agent("planner").post("token_endpoint", grant_type="client_credentials")
    site.is_active(hold)
    site.agent("planner").revoke(hold)
    assert site.host_rows() == before


@pytest.mark.parametrize("scope", ["calendar:read", "pay:transfer"])
def test_an_agent_that_registers_itself_waits(site: Site, scope: str) -> None:
    """By the plugin, whether the host has a registration of its own or not."""
    key = agents_http.new_key()
    born = agents_http.register(
        site.metadata, client_type="agent", client_name="walk-in", scope=scope,
        redirect_uris=[CALLBACK], jwks=agents_http.jwks(key),
    )  # fmt: skip
    assert born.status_code == 201, born.text
    assert born.json()["agent_status"] == "pending"
    stranger = agents_http.Agent(born.json()["client_id"], site.metadata, key=key)
    refused = stranger.post("token_endpoint", grant_type="client_credentials")
    assert agents_http.outcome(refused) == (401, "invalid_client")
