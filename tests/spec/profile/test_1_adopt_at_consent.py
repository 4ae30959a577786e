"""`agents.self_registered = "adopt_at_consent"`: the first person who consents answers for an
agent that registered itself, and until an administrator looks at it, it is theirs alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deputize.agents.models import find_agent
from deputize.cli import deputize as commands
from deputize.settings import Agents
from support.agents_http import Agent, http, jwks, new_key, outcome, pkce, register
from support.world import CALENDAR, CALLBACK, FLIGHTS, World, authorize_url, running_world

pytestmark = pytest.mark.section("profile", "1")

ASKED = {"scope": "calendar:read calendar:write agents:spawn", "resource": [CALENDAR]}


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = Agents(self_registered="adopt_at_consent")
    folder: Path = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder, agents=settings) as running:
        yield running


@pytest.fixture
def scout(world: World) -> Agent:
    """An agent that has registered itself, and boasts."""
    key = new_key()
    told = register(
        world.metadata,
        client_name="scout",
        redirect_uris=[CALLBACK],
        jwks=jwks(key),
        scope="calendar:read calendar:write flights:search agents:spawn tasks",
        resources=[CALENDAR, FLIGHTS],
        delegates_to=["booker", "spawned"],
        grant_types=["authorization_code", "refresh_token", "client_credentials",
                     "urn:ietf:params:oauth:grant-type:token-exchange"],
    ).json()  # fmt: skip
    assert told["agent_status"] == "pending"
    return Agent(told["client_id"], world.metadata, key=key)


def hold(world: World, scout: Agent, person: str = "ana", **changes: Any) -> str:
    return world.hold(scout.client_id, person, redeem_with=scout, **ASKED | changes)


def test_until_somebody_consents_it_is_nobody(world: World, scout: Agent) -> None:
    own = scout.post("token_endpoint", grant_type="client_credentials")
    assert outcome(own) == (401, "invalid_client")


def test_the_page_says_what_consenting_means(world: World, scout: Agent) -> None:
    url = authorize_url(world.metadata, scout.client_id, pkce()[1], **ASKED)
    page = world.browser().get(url).text
    assert "nobody here has looked at it" in page
    assert "you answer for it" in page
    assert "agents:spawn" not in page
    assert "booker" not in page


def test_the_person_becomes_its_owner_and_what_they_granted_its_ceiling(
    world: World, scout: Agent
) -> None:
    token = hold(world, scout, untick=("calendar:write",))
    assert scout.introspect(token).json()["scope"] == "calendar:read"
    with world.context.db.read() as tx:
        known = find_agent(tx, scout.client_id)
    assert known is not None
    assert (known.status, known.owner, known.only_for) == ("active", "ana", "ana")
    assert known.scope == {"calendar:read"}
    assert known.resources == {CALENDAR}
    assert not known.delegates_to
    (event,) = [e for e in world.events("agent.adopted") if e["agent"] == scout.client_id]
    assert event["facts"]["scope"] == ["calendar:read"]


def test_it_works_for_them(world: World, scout: Agent) -> None:
    granted = world.consent(scout.client_id, redeem_with=scout, **ASKED).json()
    used = scout.exchange(granted["access_token"], resource=CALENDAR)
    assert world.is_active(used.json()["access_token"])
    refreshed = scout.post(
        "token_endpoint", grant_type="refresh_token", refresh_token=granted["refresh_token"]
    )
    assert outcome(refreshed) == (200, "none")


def test_nobody_else_can_deputize_it(world: World, scout: Agent) -> None:
    hold(world, scout)
    granted = ASKED | {"scope": "calendar:read"}
    url = authorize_url(world.metadata, scout.client_id, pkce()[1], **granted)
    assert world.browser("ana").get(url).status_code == 200
    refused = world.browser("eve").get(url)
    assert refused.status_code == 400
    assert "acts for somebody else" in refused.text


def test_it_takes_nothing_that_was_granted_by_somebody_else(world: World, scout: Agent) -> None:
    hold(world, scout)
    world.edit("planner", delegates_to=frozenset({scout.client_id}))
    for person, rule in (("eve", "person.not_its_own"), ("ana", "chain.too_deep")):
        given = world.agent("planner").exchange(
            world.hold("planner", person), audience=scout.client_id, scope="calendar:read"
        )
        token = given.json()["access_token"]
        refused = world.refused(scout.exchange, token, resource=CALENDAR)
        assert refused == (400, "invalid_request", rule)


def test_it_does_nothing_for_itself_or_through_others(world: World, scout: Agent) -> None:
    token = hold(world, scout)
    own = scout.post("token_endpoint", grant_type="client_credentials")
    assert outcome(own) == (400, "unauthorized_client")
    given = scout.exchange(token, audience="booker", scope="calendar:read")
    assert outcome(given) == (400, "invalid_target")
    spawning = scout.ask_to_spawn(token, "calendar:read", new_key())
    assert outcome(spawning) == (400, "invalid_scope")


def test_it_asks_for_no_more_than_was_granted(world: World, scout: Agent) -> None:
    hold(world, scout, untick=("calendar:write",))
    url = authorize_url(world.metadata, scout.client_id, pkce()[1], **ASKED)
    assert "error=invalid_scope" in world.browser().get(url).headers["Location"]


def test_of_two_at_once_one_becomes_its_owner(world: World, scout: Agent) -> None:
    def consent(person: str) -> bool:
        try:
            return bool(world.code(pkce()[1], scout.client_id, person, **ASKED))
        except (AssertionError, KeyError):
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(consent, ("ana", "ben", "eve"))) == [False, False, True]
    assert len([e for e in world.events("agent.adopted") if e["agent"] == scout.client_id]) == 1


def test_an_administrator_confirms_it(world: World, scout: Agent) -> None:
    token = hold(world, scout)
    app = world.app
    told = app.test_cli_runner().invoke(
        commands,
        ["agents", "adopt", scout.client_id, "--owner", "ana", "--scope", "calendar:read"],
    )
    assert told.exit_code == 0, told.output
    assert scout.introspect(token).json()["scope"] == "calendar:read"
    asked = ASKED | {"scope": "calendar:read"}
    assert world.hold(scout.client_id, "eve", redeem_with=scout, **asked)
    again = app.test_cli_runner().invoke(
        commands, ["agents", "adopt", scout.client_id, "--owner", "ana"]
    )
    assert again.exit_code == 1


def test_what_makes_itself_wider_waits_and_can_be_adopted_by_its_owner_alone(
    world: World,
) -> None:
    key = new_key()
    said = {"client_name": "scout", "redirect_uris": [CALLBACK], "scope": "calendar:read",
            "resources": [CALENDAR]}  # fmt: skip
    told = register(world.metadata, **said, jwks=jwks(key)).json()
    scout = Agent(told["client_id"], world.metadata, key=key)
    asked = {"scope": "calendar:read", "resource": [CALENDAR]}
    token = world.hold(scout.client_id, redeem_with=scout, **asked)
    new = new_key()
    bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}
    changed = http.put(
        told["registration_client_uri"],
        json=said | {"client_id": scout.client_id, "jwks": jwks(new)},
        headers=bearer,
    )
    assert changed.json()["agent_status"] == "pending"
    assert world.agent("planner").introspect(token).json() == {"active": False}
    url = authorize_url(world.metadata, scout.client_id, pkce()[1], **asked)
    assert world.browser("eve").get(url).status_code == 400
    renewed = Agent(scout.client_id, world.metadata, key=new)
    assert world.hold(scout.client_id, redeem_with=renewed, **asked)
