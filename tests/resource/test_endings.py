"""When an API learns that a delegation has ended: at once, within its window, or at expiry.

Each is what its checker's name or `max_age` states, seen at a real server with real endings.
"""

import asyncio
from collections.abc import Callable

import pytest

from deputize.resource import (
    AsyncIntrospector,
    AsyncUntilExpiry,
    Checker,
    Introspector,
    UntilExpiry,
)
from support.agents_http import unix_time
from support.world import CALENDAR, SECRET, World

LIFETIME = 300  # seconds
WINDOW = 30

Ending = Callable[[World, str], None]


def narrowed(world: World, hold: str) -> str:
    answer = world.agent("planner").exchange(hold, resource=CALENDAR)
    return str(answer.raise_for_status().json()["access_token"])


def end(world: World, hold: str) -> None:
    world.agent("planner").revoke(hold)


def lets_in(checker: Checker, token: str) -> bool:
    return checker.check(token, CALENDAR) is not None


def test_an_introspector_learns_at_once(world: World) -> None:
    introspector = Introspector(world.url, "calendar-api", SECRET, clock=unix_time)
    hold = world.hold()
    token = narrowed(world, hold)
    assert lets_in(introspector, token)
    end(world, hold)
    assert not lets_in(introspector, token)
    introspector.close()


def test_with_a_window_it_learns_within_it(world: World) -> None:
    keeping = Introspector(world.url, "calendar-api", SECRET, max_age=WINDOW, clock=unix_time)
    hold = world.hold()
    token = narrowed(world, hold)
    assert lets_in(keeping, token)
    end(world, hold)
    assert lets_in(keeping, token), "that is what the window says"
    world.pass_time(WINDOW + 1)
    assert not lets_in(keeping, token)
    keeping.close()


def test_until_expiry_it_never_learns(world: World) -> None:
    verifier = UntilExpiry(world.url, leeway=10, clock=unix_time)
    hold = world.hold()
    token = narrowed(world, hold)
    end(world, hold)
    assert lets_in(verifier, token), "that is what the name says"
    world.pass_time(LIFETIME)
    assert lets_in(verifier, token), "within the leeway"
    world.pass_time(11)
    assert not lets_in(verifier, token)
    verifier.close()


@pytest.mark.parametrize("audience", ["booker", None], ids=["hand-over", "hold"])
def test_until_expiry_takes_nothing_that_is_for_elsewhere(
    world: World, audience: str | None
) -> None:
    verifier = UntilExpiry(world.url, clock=unix_time)
    hold = world.hold()
    given = world.agent("planner").exchange(hold, audience=audience, scope="calendar:read")
    assert not lets_in(verifier, given.json()["access_token"])
    verifier.close()


def test_the_asynchronous_ones_learn_at_the_same_moments(world: World) -> None:
    hold = world.hold()
    token = narrowed(world, hold)

    async def ask() -> None:
        introspector = AsyncIntrospector(world.url, "calendar-api", SECRET, clock=unix_time)
        keeping = AsyncIntrospector(
            world.url, "calendar-api", SECRET, max_age=WINDOW, clock=unix_time
        )
        verifier = AsyncUntilExpiry(world.url, clock=unix_time)
        checkers = introspector, keeping, verifier
        assert all([await checker.check(token, CALENDAR) for checker in checkers])
        end(world, hold)
        answers = [await checker.check(token, CALENDAR) is not None for checker in checkers]
        assert answers == [False, True, True]
        world.pass_time(WINDOW + 1)
        answers = [await checker.check(token, CALENDAR) is not None for checker in checkers]
        assert answers == [False, False, True]
        for checker in checkers:
            await checker.aclose()

    asyncio.run(ask())
