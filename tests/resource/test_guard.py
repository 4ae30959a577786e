"""An API on Flask and on FastAPI, over real HTTP: who may pass, and what the others are told."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
from examples.api import fastapi_api, flask_api
from hypercorn.asyncio import serve
from hypercorn.config import Config

from deputize.resource import resource_metadata_url
from support.agents_http import http
from support.serving import serving
from support.world import CALENDAR, FLIGHTS, SECRET, World

WHERE = "https://calendar.example/.well-known/oauth-protected-resource"

Serving = Callable[[str], AbstractContextManager[str]]


def on_flask(issuer: str) -> AbstractContextManager[str]:
    return serving(lambda _: flask_api.create_app(issuer, client_secret=SECRET))


@contextmanager
def on_fastapi(issuer: str) -> Iterator[str]:
    """Serve on a free port by hypercorn, in a thread and an event loop of its own."""
    app = fastapi_api.create_app(issuer, client_secret=SECRET)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config, ended = Config(), threading.Event()
    config.bind = [f"fd://{listening.detach()}"]
    config.loglevel = "ERROR"

    async def until_ended() -> None:
        await asyncio.to_thread(ended.wait)

    running = serve(app, config, shutdown_trigger=until_ended)  # type: ignore[arg-type]
    thread = threading.Thread(target=asyncio.run, args=[running])
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module", params=[on_flask, on_fastapi], ids=["Flask", "FastAPI"])
def calendar(request: pytest.FixtureRequest, world: World) -> Iterator[str]:
    with request.param(world.url) as url:
        yield url


def call(url: str, token: str | None, method: str = "GET") -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return http.request(method, f"{url}/events", headers=headers)


def narrowed(world: World, hold: str, scope: str | None = None, resource: str = CALENDAR) -> str:
    answer = world.agent("planner").exchange(hold, resource=resource, scope=scope)
    return str(answer.raise_for_status().json()["access_token"])


def test_who_may_passes_and_is_named(world: World, calendar: str) -> None:
    answer = call(calendar, narrowed(world, world.hold()))
    assert answer.status_code == 200
    assert answer.json()["seen_by"] == "planner acts for ana"
    booker = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
    token = world.agent("booker").exchange(booker, resource=CALENDAR).json()["access_token"]
    assert call(calendar, token).json()["seen_by"] == "booker acts for ana through planner"


def test_without_a_token_no_error_is_named(calendar: str) -> None:
    answer = call(calendar, None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{WHERE}"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ä", "Bearer a b"])
def test_what_is_no_bearer_token_is_none(calendar: str, header: str) -> None:
    answer = http.get(f"{calendar}/events", headers={"Authorization": header.encode()})
    assert answer.status_code == 401
    assert "error" not in answer.headers["WWW-Authenticate"]


def test_a_token_in_the_url_is_none(world: World, calendar: str) -> None:
    token = narrowed(world, world.hold())
    answer = http.get(f"{calendar}/events", params={"access_token": token})
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
def test_a_token_that_is_not_good_is_told(calendar: str, token: str) -> None:
    answer = call(calendar, token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer error="invalid_token", resource_metadata="{WHERE}"'
    )
    assert "invalid_token" in answer.text


def test_a_token_for_another_api_is_not_good_here(world: World, calendar: str) -> None:
    hold = world.hold()
    for token in (hold, narrowed(world, hold, resource=FLIGHTS)):
        assert call(calendar, token).status_code == 401


def test_a_token_that_is_not_enough_is_told_what_is(world: World, calendar: str) -> None:
    token = narrowed(world, world.hold(), "calendar:read")
    answer = call(calendar, token, "POST")
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer error="insufficient_scope", scope="calendar:write", resource_metadata="{WHERE}"'
    )
    assert call(calendar, narrowed(world, world.hold()), "POST").status_code == 201


def test_what_was_ended_is_refused_at_the_next_call(world: World, calendar: str) -> None:
    hold = world.hold()
    token = narrowed(world, hold)
    assert call(calendar, token).status_code == 200
    world.agent("planner").revoke(hold)
    assert call(calendar, token).status_code == 401


@pytest.mark.parametrize("serving_on", [on_flask, on_fastapi], ids=["Flask", "FastAPI"])
def test_a_server_that_is_away_lets_nobody_in(serving_on: Serving) -> None:
    with serving(lambda _: None) as issuer:
        pass
    with serving_on(issuer) as url:
        answer = call(url, "an-opaque-one")
    assert answer.status_code == 503
    assert "WWW-Authenticate" not in answer.headers
    assert "temporarily_unavailable" in answer.text


def test_the_metadata_says_which_server_lets_clients_in(world: World, calendar: str) -> None:
    assert http.get(f"{calendar}/.well-known/oauth-protected-resource").json() == {
        "resource": CALENDAR,
        "authorization_servers": [world.url],
        "scopes_supported": ["calendar:read", "calendar:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Calendar",
    }


@pytest.mark.parametrize(
    ("identifier", "url"),
    [
        ("https://a.example", "https://a.example/.well-known/oauth-protected-resource"),
        ("https://a.example/", "https://a.example/.well-known/oauth-protected-resource"),
        ("https://a.example/b", "https://a.example/.well-known/oauth-protected-resource/b"),
        (
            "https://a.example:8/b?c=d",
            "https://a.example:8/.well-known/oauth-protected-resource/b?c=d",
        ),
    ],
)
def test_the_metadata_is_found_by_the_identifier(identifier: str, url: str) -> None:
    assert resource_metadata_url(identifier) == url
