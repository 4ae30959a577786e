"""An agent pushes what it asks where it wants to, and where the server wants it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from client.asking import answer, ask
from client.test_errors import saying
from deputize.client import AgentClient, AsyncAgentClient, OAuthError, ProtocolError
from support.agents_http import unix_time
from support.world import CALENDAR, CALLBACK, FLIGHTS, World

Agents = Callable[[str], AgentClient]

PLACE = "pushed_authorization_request_endpoint"
REQUIRED = "require_pushed_authorization_requests"


def carried(url: str) -> set[str]:
    """Return the names of what the browser carries."""
    return set(parse_qs(urlsplit(url).query))


def at_a_server(planner: AgentClient, **members: object) -> AgentClient:
    """Return planner at a server that says this of itself as well."""
    connection = planner._connection
    metadata = replace(connection.metadata, members={**connection.metadata.members, **members})
    return AgentClient(replace(connection, metadata=metadata), planner._http)


def test_what_was_pushed_is_granted(world: World, agent: Agents) -> None:
    planner = agent("planner")
    url, asked = ask(planner, push=True)
    assert carried(url) == {"client_id", "request_uri"}
    hold = planner.redeem(asked.code_in(answer(world, url)), asked)
    assert hold.narrow(FLIGHTS).audience == FLIGHTS
    assert hold.narrow(CALENDAR).audience == CALENDAR


def test_in_an_event_loop_too(world: World) -> None:
    async def story() -> str:
        key = world.keys["planner"]
        async with await AsyncAgentClient.discover(
            world.url, "planner", key=key, clock=unix_time
        ) as planner:
            url, asked = await planner.authorization_url(
                CALLBACK, scope="calendar:read", resource=[CALENDAR], push=True
            )
            assert carried(url) == {"client_id", "request_uri"}
            hold = await planner.redeem(asked.code_in(answer(world, url)), asked)
            return (await hold.narrow(CALENDAR)).audience

    assert asyncio.run(story()) == CALENDAR


def test_without_a_wish_nothing_is_pushed(agent: Agents) -> None:
    assert "request_uri" not in carried(ask(agent("planner"))[0])


def test_it_is_where_the_server_requires_it(world: World, agent: Agents) -> None:
    planner = at_a_server(agent("planner"), **{REQUIRED: True})
    url, asked = ask(planner)
    assert carried(url) == {"client_id", "request_uri"}
    assert planner.redeem(asked.code_in(answer(world, url)), asked).scope


def test_what_is_wrong_is_told_at_once(agent: Agents) -> None:
    with pytest.raises(OAuthError) as refused:
        ask(agent("planner"), scope="calendar:delete", push=True)
    assert (refused.value.error, refused.value.status) == ("invalid_scope", 400)


def test_a_server_that_takes_none_is_told_so(agent: Agents) -> None:
    with pytest.raises(ProtocolError, match=PLACE):
        ask(at_a_server(agent("planner"), **{PLACE: None}), push=True)


def test_an_answer_without_a_reference_is_none(agent: Agents) -> None:
    with saying("201 Created", b'{"request_uri": 7}') as url:
        planner = at_a_server(agent("planner"), **{PLACE: url})
        with pytest.raises(ProtocolError, match="request_uri"):
            ask(planner, push=True)
