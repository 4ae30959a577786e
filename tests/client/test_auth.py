"""An httpx client let into an API by a hold: the token is shown, and replaced once if refused."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Response

from client.api import Api
from client.counting import issued
from deputize.client import Hold, OAuthError, ProtocolError, Token
from support.serving import serving
from support.world import CALENDAR, World


@pytest.fixture
def kept(hold: Token) -> Hold:
    return Hold(hold)


@pytest.fixture
def http(api: Api, kept: Hold) -> Iterator[httpx.Client]:
    """A client that calls the calendar API by planner's hold."""
    api.shown.clear()
    api.bodies.clear()
    auth = kept.auth(CALENDAR, "calendar:read")
    with httpx.Client(base_url=api.url, auth=auth, trust_env=False) as http:
        yield http


def end(world: World, token: str) -> None:
    """End what one narrow token stands for, and not the hold that it came from."""
    assert world.agent("planner").revoke(token).status_code == 200
    assert not world.is_active(token)


def test_the_api_sees_who_acts_for_whom(world: World, api: Api, http: httpx.Client) -> None:
    with issued(world) as asked:
        for _ in range(3):
            assert http.get("/events").text == "planner acts for ana"
    assert asked == [CALENDAR]
    assert len(set(api.shown)) == 1


def test_a_lease_that_is_refused_is_replaced_and_the_request_sent_again(
    world: World, api: Api, http: httpx.Client
) -> None:
    http.get("/events")
    end(world, str(api.shown[0]))
    answer = http.post("/events", json={"day": "2026-12-03"})
    assert answer.text == "planner acts for ana"
    assert len(api.shown) == 3
    assert api.shown[1] == api.shown[0]
    assert api.shown[2] != api.shown[0]
    assert api.bodies[1] == api.bodies[2] != b""


def test_it_gives_up_after_the_second_refusal(world: World, api: Api, http: httpx.Client) -> None:
    with issued(world) as asked:
        assert http.get("/never").status_code == 401
    assert asked == [CALENDAR, CALENDAR]
    assert len(api.shown) == 2


@pytest.mark.parametrize(("path", "status"), [("/more", 403), ("/bare", 401)])
def test_only_a_lease_that_is_not_good_is_replaced(
    api: Api, http: httpx.Client, path: str, status: int
) -> None:
    assert http.get(path).status_code == status
    assert len(api.shown) == 1


def test_a_body_that_is_gone_is_not_sent_again(api: Api, http: httpx.Client) -> None:
    assert http.post("/never", content=iter([b"once"])).status_code == 401
    assert api.bodies == [b"once"]


def test_the_reason_is_told_when_no_lease_is_to_be_had(
    world: World, kept: Hold, http: httpx.Client
) -> None:
    http.get("/events")
    end(world, kept.token().value)
    with pytest.raises(OAuthError) as refused:
        http.get("/events")
    assert refused.value.error == "invalid_request"
    assert "has ended" in refused.value.description


def test_a_token_is_never_shown_in_the_clear(http: httpx.Client) -> None:
    with pytest.raises(ProtocolError, match="not https"):
        http.get("http://calendar.example/events")


def test_a_token_does_not_follow_a_redirect_to_another_place(kept: Hold) -> None:
    shown: list[str | None] = []

    def answering(status: int, **headers: str) -> Callable[[str], Any]:
        def app(environ: Any, start_response: Any) -> Any:
            shown.append(environ.get("HTTP_AUTHORIZATION"))
            return Response(status=status, headers=headers)(environ, start_response)

        return lambda _: app

    with serving(answering(200)) as elsewhere, serving(answering(302, Location=elsewhere)) as url:
        auth = kept.auth(CALENDAR)
        with httpx.Client(auth=auth, follow_redirects=True, trust_env=False) as http:
            assert http.get(url).status_code == 200
    assert str(shown[0]).startswith("Bearer ")
    assert shown[1] is None


def test_the_same_auth_lets_an_asynchronous_client_in(
    world: World, api: Api, kept: Hold, http: httpx.Client
) -> None:
    async def call() -> str:
        auth = kept.auth(CALENDAR)
        async with httpx.AsyncClient(base_url=api.url, auth=auth, trust_env=False) as client:
            await client.get("/events")
            end(world, str(api.shown[-1]))
            return (await client.get("/events")).text

    assert asyncio.run(call()) == "planner acts for ana"
    assert len(api.shown) == 3
