"""RFC 9470: an API that wants the person to have signed in lately, or in a better way, says so."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flask import Flask, request

from deputize.resource import (
    Access,
    AsyncGuard,
    AsyncIntrospector,
    Guard,
    Introspector,
    Refused,
)
from deputize.resource.flask import decorator
from support.agents_http import http
from support.serving import serving
from support.world import CALENDAR

NOW = 1_764_000_000
ERROR = "insufficient_user_authentication"

Told = tuple[int, str | None]


@pytest.fixture(params=["Guard", "AsyncGuard"])
def admit(issuer: Any, request: pytest.FixtureRequest) -> Callable[..., Told]:
    """Show a token with these claims at the door; what is answered."""

    def by_thread(header: str, **needs: Any) -> Access:
        introspector = Introspector(issuer.url, "calendar-api", "x", clock=lambda: issuer.now)
        try:
            return Guard(introspector, CALENDAR, clock=lambda: issuer.now).admit(header, **needs)
        finally:
            introspector.close()

    def by_task(header: str, **needs: Any) -> Access:
        async def story() -> Access:
            made = AsyncIntrospector(issuer.url, "calendar-api", "x", clock=lambda: issuer.now)
            try:
                guard = AsyncGuard(made, CALENDAR, clock=lambda: issuer.now)
                return await guard.admit(header, **needs)
            finally:
                await made.aclose()

        return asyncio.run(story())

    way = {"Guard": by_thread, "AsyncGuard": by_task}[request.param]

    def told(needs: dict[str, Any], **claims: Any) -> Told:
        token = say(issuer, **claims)
        try:
            way(f"Bearer {token}", **needs)
        except Refused as refused:
            return refused.status, refused.headers.get("WWW-Authenticate")
        return 200, None

    return told


def say(issuer: Any, **claims: Any) -> str:
    """Return a token that says so, of which the server says the same."""
    usual = issuer.claims
    issuer.claims = lambda **more: usual(**claims | more)  # type: ignore[method-assign]
    return issuer.sign()


@pytest.mark.parametrize(
    "needs",
    [
        {"scope": "calendar:read"},
        {"scope": "calendar:read", "max_age": 60},
        {"scope": "calendar:read", "acr": "pwd"},
        {"scope": "calendar:read", "acr": "phr pwd", "max_age": 60},
    ],
)
def test_who_has_signed_in_so_passes(admit: Callable[..., Told], needs: dict[str, Any]) -> None:
    assert admit(needs, auth_time=NOW - 60, acr="pwd") == (200, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"auth_time": NOW - 61},
        {},
        {"auth_time": str(NOW)},
        {"auth_time": True},
        {"auth_time": [NOW]},
    ],
)
def test_whoever_signed_in_too_long_ago_is_told_how_lately(
    admit: Callable[..., Told], claims: dict[str, Any]
) -> None:
    assert admit({"scope": "calendar:read", "max_age": 60}, **claims) == (
        401,
        f'Bearer error="{ERROR}", max_age="60", scope="calendar:read"',
    )


@pytest.mark.parametrize("claims", [{"acr": "pwd"}, {}, {"acr": "ph"}, {"acr": ["phr"]}])
def test_whoever_signed_in_otherwise_is_told_how(
    admit: Callable[..., Told], claims: dict[str, Any]
) -> None:
    assert admit({"scope": "calendar:read", "acr": "phrh phr"}, **claims) == (
        401,
        f'Bearer error="{ERROR}", acr_values="phrh phr", scope="calendar:read"',
    )


def test_no_age_at_all_is_told(admit: Callable[..., Told]) -> None:
    told = admit({"max_age": 0}, auth_time=NOW - 1)
    assert told == (401, f'Bearer error="{ERROR}", max_age="0"')


def test_the_person_comes_before_the_scope(admit: Callable[..., Told]) -> None:
    """What they approve has the scope, and says when they signed in."""
    needs = {"scope": "calendar:write", "max_age": 60}
    assert admit(needs, auth_time=NOW - 61)[0] == 401
    assert admit(needs, auth_time=NOW) == (
        403,
        'Bearer error="insufficient_scope", scope="calendar:write"',
    )


def test_a_token_that_is_not_good_is_told_no_more(issuer: Any, admit: Callable[..., Told]) -> None:
    issuer.is_active = False
    assert admit({"max_age": 60}) == (401, 'Bearer error="invalid_token"')


def test_an_age_is_not_negative(admit: Callable[..., Told]) -> None:
    with pytest.raises(ValueError, match="max_age"):
        admit({"max_age": -1})


@pytest.fixture
def on_flask(issuer: Any) -> Iterator[str]:
    app = Flask(__name__)
    introspector = Introspector(issuer.url, "calendar-api", "x", clock=lambda: issuer.now)
    guard = Guard(introspector, CALENDAR, clock=lambda: issuer.now)
    needs = decorator(guard, request)

    @app.get("/events")
    @needs("calendar:read", acr="phr", max_age=60)
    def events(access: Access) -> str:
        return str(access)

    with serving(lambda _: app) as url:
        yield url
    introspector.close()


def call(url: str, token: str) -> httpx.Response:
    return http.get(f"{url}/events", headers={"Authorization": f"Bearer {token}"})


def test_the_decorator_takes_the_same(issuer: Any, on_flask: str) -> None:
    answer = call(on_flask, say(issuer, auth_time=NOW, acr="phr"))
    assert (answer.status_code, answer.text) == (200, "planner acts for ana")
    answer = call(on_flask, say(issuer, auth_time=NOW, acr="pwd"))
    assert answer.status_code == 401
    assert answer.json() == {"error": ERROR}
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer error="{ERROR}", acr_values="phr", max_age="60", scope="calendar:read"'
    )
