"""The same client for asyncio: as many tasks as one likes, and one renewal at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from client.api import Api
from client.asking import SCOPE, answer
from client.counting import issued
from deputize.client import (
    AgentClient,
    AsyncAgentClient,
    AsyncHold,
    AsyncToken,
    OAuthError,
    ProtocolError,
    new_key,
)
from support.agents_http import unix_time
from support.world import CALENDAR, CALLBACK, FLIGHTS, World

NEARLY_EXPIRED = 250  # seconds of the 300 that a token lives
EXPIRED = 310
TASKS = 16

Story = Callable[[AsyncAgentClient, AsyncToken], Coroutine[Any, Any, None]]


@asynccontextmanager
async def agent(world: World, client_id: str) -> AsyncIterator[AsyncAgentClient]:
    key = world.keys[client_id]
    found = await AsyncAgentClient.discover(world.url, client_id, key=key, clock=unix_time)
    async with found:
        yield found


@pytest.fixture
def play(world: World) -> Callable[[Story], None]:
    """Run a story of planner, and its hold on what Ana let it do a moment ago."""

    async def played(story: Story) -> None:
        async with agent(world, "planner") as planner:
            wanted = {"scope": SCOPE, "resource": [CALENDAR, FLIGHTS]}
            url, asked = await planner.authorization_url(CALLBACK, **wanted)
            hold = await planner.redeem(asked.code_in(answer(world, url)), asked)
            await story(planner, hold)

    return lambda story: asyncio.run(played(story))


def test_it_narrows_hands_over_takes_spawns_renews_refreshes_and_ends(
    world: World, play: Callable[[Story], None]
) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        calendar = await hold.narrow(CALENDAR, "calendar:read")
        assert (calendar.audience, calendar.scope) == (CALENDAR, {"calendar:read"})
        assert (await (await hold.renew()).introspect())["active"] is True
        async with agent(world, "booker") as booker:
            given = await hold.hand_over("booker", "flights:search")
            assert (await booker.take(given.value)).chain() == ("booker", "planner")
        scout = await hold.spawn(scope="flights:search", purpose="Compare fares")
        given = await hold.hand_over(scout.client_id, "flights:search")
        assert (await scout.take(given.value, FLIGHTS)).chain() == (scout.client_id, "planner")
        hold = await hold.refresh()
        await hold.revoke()
        assert await planner.introspect(hold.value) == {"active": False}

    play(story)


def test_it_asks_for_the_same_as_the_other(world: World, play: Callable[[Story], None]) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        other = AgentClient.discover(world.url, "planner", key=world.keys["planner"])
        assert repr(planner) == repr(other).replace("AgentClient", "AsyncAgentClient")
        assert planner.key is other.key
        assert hold.value not in repr(hold)
        other.close()

    play(story)


def test_a_server_without_metadata_is_told() -> None:
    with pytest.raises(ProtocolError, match="not https"):
        asyncio.run(AsyncAgentClient.discover("http://id.example", "planner", key=new_key()))


def test_tasks_share_one_narrow_token_and_one_refresh(
    world: World, play: Callable[[Story], None]
) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        kept = AsyncHold(hold)
        world.pass_time(EXPIRED)
        with issued(world) as asked:
            tokens = await asyncio.gather(*(kept.narrow(CALENDAR) for _ in range(TASKS)))
        assert len({token.value for token in tokens}) == 1
        assert asked == [world.url, CALENDAR]

    play(story)


def test_a_waiter_that_is_cancelled_loses_no_refresh_token(
    world: World, play: Callable[[Story], None]
) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        kept = AsyncHold(hold)
        world.pass_time(EXPIRED)
        waiter = asyncio.create_task(kept.token())

        async def cancel_the_waiter(_: httpx.Response) -> None:
            waiter.cancel()

        planner._http.event_hooks = {"response": [cancel_the_waiter]}
        with issued(world) as asked:
            with pytest.raises(asyncio.CancelledError):
                await waiter
            assert (await kept.token()).refresh_token not in (None, hold.refresh_token)
        assert asked == [world.url], "the refresh that was under way, and no other"

    play(story)


def test_a_hold_in_a_with_is_renewed_while_nobody_asks(
    world: World, play: Callable[[Story], None]
) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        world.pass_time(NEARLY_EXPIRED)
        answered = asyncio.Event()

        async def notice(_: httpx.Response) -> None:
            answered.set()

        planner._http.event_hooks = {"response": [notice]}
        async with AsyncHold(hold) as kept, asyncio.timeout(10):
            await answered.wait()
            with issued(world) as asked:
                assert (await kept.token()).value != hold.value
            assert asked == []
        assert kept._keeper is not None
        assert kept._keeper.done()

    play(story)


def test_a_hold_that_was_ended_is_told(world: World, play: Callable[[Story], None]) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        kept = AsyncHold(hold)
        token = await kept.narrow(CALENDAR)
        await kept.revoke()
        assert not world.is_active(token.value)
        with pytest.raises(OAuthError):
            await kept.narrow(CALENDAR)

    play(story)


def test_it_passes_authority_on(world: World, play: Callable[[Story], None]) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        kept = AsyncHold(hold)
        scout = await kept.spawn(scope="flights:search", purpose="Compare fares")
        given = await kept.hand_over(scout.client_id, "flights:search")
        held = AsyncHold(await scout.take(given.value))
        assert (await held.narrow(FLIGHTS)).chain() == (scout.client_id, "planner")

    play(story)


def test_its_auth_replaces_a_refused_lease_once(
    world: World, api: Api, play: Callable[[Story], None]
) -> None:
    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        auth = AsyncHold(hold).auth(CALENDAR)
        async with httpx.AsyncClient(base_url=api.url, auth=auth, trust_env=False) as http:
            api.shown.clear()
            assert (await http.get("/events")).text == "planner acts for ana"
            world.agent("planner").revoke(str(api.shown[0]))
            assert (await http.get("/events")).text == "planner acts for ana"
            assert len(api.shown) == 3
            assert (await http.get("/never")).status_code == 401
            assert len(api.shown) == 5
            assert (await http.get("/more")).status_code == 403
            assert len(api.shown) == 6

    play(story)


def test_its_auth_never_lets_a_blocking_client_go_without_a_token(
    api: Api, play: Callable[[Story], None]
) -> None:
    auths: list[httpx.Auth] = []

    async def story(planner: AsyncAgentClient, hold: AsyncToken) -> None:
        auths.append(AsyncHold(hold).auth(CALENDAR))

    play(story)
    with httpx.Client(auth=auths[0]) as http, pytest.raises(TypeError, match="AsyncClient"):
        http.get(api.url)
