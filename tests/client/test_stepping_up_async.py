"""In an event loop, too, an agent asks its person in the middle of a task."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from client.asking import SCOPE, answer
from client.deciding import Waiting, decide
from deputize.client import AsyncAgentClient, AsyncHold, AsyncQuestion, AsyncToken
from support.agents_http import unix_time
from support.world import CALENDAR, CALLBACK, FLIGHTS, PAY, World

MESSAGE = "TP1234, seat 14C"
ALL = [CALENDAR, FLIGHTS, PAY]
LATER = 700  # seconds: what the test before asked has expired


@pytest.fixture(autouse=True)
def waiting(world: World) -> Waiting:
    world.pass_time(LATER)
    return Waiting(world)


Story = Callable[[AsyncToken], Awaitable[None]]


@pytest.fixture
def play(world: World, waiting: Waiting) -> Callable[[Story], None]:
    """Run a story of planner's hold in an event loop."""

    async def played(story: Story) -> None:
        key = world.keys["planner"]
        async with await AsyncAgentClient.discover(
            world.url, "planner", key=key, clock=unix_time, sleep=waiting.awaited
        ) as planner:
            url, asked = await planner.authorization_url(CALLBACK, scope=SCOPE, resource=ALL)
            await story(await planner.redeem(asked.code_in(answer(world, url)), asked))

    return lambda story: asyncio.run(played(story))


def test_yes_is_a_token(world: World, play: Callable[[Story], None], waiting: Waiting) -> None:
    waiting.at(2, partial(decide, world, "approve"))

    async def story(token: AsyncToken) -> None:
        paying = await token.ask("pay:transfer", PAY, message=MESSAGE)
        assert (paying.scope, paying.audience) == ({"pay:transfer"}, PAY)

    play(story)
    assert waiting.pauses == [5, 5]


def test_an_exchange_asks_too(
    world: World, play: Callable[[Story], None], waiting: Waiting
) -> None:
    waiting.at(1, partial(decide, world, "approve"))

    async def story(token: AsyncToken) -> None:
        paying = await token.narrow(PAY, "pay:transfer", message=MESSAGE)
        assert paying.scope == {"pay:transfer"}

    play(story)


def test_a_wait_is_bounded(play: Callable[[Story], None], waiting: Waiting) -> None:
    async def story(token: AsyncToken) -> None:
        with pytest.raises(TimeoutError):
            await AsyncHold(token).ask("pay:transfer", timeout=7)

    play(story)
    assert sum(waiting.pauses) == 7


def test_a_wait_that_was_cancelled_can_be_taken_up_again(
    world: World, play: Callable[[Story], None]
) -> None:
    async def story(token: AsyncToken) -> None:
        question = await AsyncHold(token).put_question("pay:transfer")
        cancelled = await cancel_in_its_pause(question)
        assert cancelled.cancelled()
        await asyncio.to_thread(decide, world, "approve")
        assert (await question.wait()).scope == {"pay:transfer"}

    play(story)


async def cancel_in_its_pause(question: AsyncQuestion) -> "asyncio.Task[AsyncToken]":
    """Let somebody wait for the answer, and stop waiting."""
    agent, paused = question._agent, asyncio.Event()
    usual = agent._sleep

    async def for_ever(_: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    agent._sleep = for_ever
    waiter = asyncio.create_task(question.wait())
    await paused.wait()
    waiter.cancel()
    await asyncio.wait([waiter])
    agent._sleep = usual
    return waiter
