"""What an API learns of a token: who acts for whom, and that it is still allowed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Request

from deputize.resource import Actor, IntrospectionError, Introspector, UntilExpiry
from support import agents_http
from support.details import declare, folders, spelled
from support.serving import serving
from support.world import CALENDAR, FLIGHTS, SECRET, World


@pytest.fixture(scope="module")
def calendar(world: World) -> Iterator[Introspector]:
    introspector = Introspector(world.url, "calendar-api", SECRET)
    yield introspector
    introspector.close()


def narrowed(world: World, hold: str, agent: str = "planner", resource: str = CALENDAR) -> str:
    answer = world.agent(agent).exchange(hold, resource=resource)
    return str(answer.raise_for_status().json()["access_token"])


def test_it_says_who_acts_for_whom(world: World, calendar: Introspector) -> None:
    token = narrowed(world, world.hold())
    access = calendar.check(token, CALENDAR)
    assert access is not None
    assert (access.subject, access.client_id) == ("ana", "planner")
    assert access.chain == (Actor(world.url, "planner"),)
    assert str(access) == "planner acts for ana"
    expires_at = agents_http.decode(token)[1]["exp"]
    assert access.expires_at == datetime.fromtimestamp(expires_at, UTC)
    assert access.claims["task_id"]


def test_it_says_through_whom_with_the_current_actor_first(
    world: World, calendar: Introspector
) -> None:
    booker = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
    checker = world.hand_over(booker, "booker", "checker", "calendar:read")
    access = calendar.check(narrowed(world, checker, "checker"), CALENDAR)
    assert access is not None
    assert [str(actor) for actor in access.chain] == ["checker", "booker", "planner"]
    assert str(access) == "checker acts for ana through planner and booker"


def test_it_says_for_what(world: World, calendar: Introspector) -> None:
    access = calendar.check(narrowed(world, world.hold(untick=("calendar:write",))), CALENDAR)
    assert access is not None
    assert access.scope == {"calendar:read"}
    assert access.allows("calendar:read")
    assert not access.allows("calendar:read calendar:write")


def test_it_says_what_exactly(world: World, calendar: Introspector) -> None:
    declare(world)
    asked = spelled(folders("trips", "work"))
    hold = world.hold(scope="calendar:read files:read", authorization_details=asked)
    access = calendar.check(narrowed(world, hold), CALENDAR)
    assert access is not None
    assert access.authorization_details == (folders("trips", "work"),)
    assert "trips" not in repr(access)
    offline = UntilExpiry(world.url).check(narrowed(world, hold), CALENDAR)
    assert offline is not None
    assert offline.authorization_details == access.authorization_details
    plain = calendar.check(narrowed(world, world.hold()), CALENDAR)
    assert plain is not None
    assert plain.authorization_details == ()


def test_an_agent_that_acts_for_itself_has_no_chain(world: World, calendar: Introspector) -> None:
    answer = world.agent("planner").post(
        "token_endpoint", grant_type="client_credentials", resource=CALENDAR
    )
    access = calendar.check(answer.json()["access_token"], CALENDAR)
    assert access is not None
    assert (access.subject, access.chain) == ("planner", ())
    assert str(access) == "planner acts for itself"


def test_a_token_for_another_place_is_nothing_here(world: World, calendar: Introspector) -> None:
    hold = world.hold()
    given = world.agent("planner").exchange(hold, audience="booker", scope="calendar:read")
    elsewhere = narrowed(world, hold, resource=FLIGHTS)
    for token in (hold, given.json()["access_token"], elsewhere):
        assert calendar.check(token, CALENDAR) is None


def test_an_api_with_two_names_lets_nobody_in_by_the_wrong_one(
    world: World, calendar: Introspector
) -> None:
    token = narrowed(world, world.hold())
    assert calendar.check(token, "https://calendar.example/other") is None


@pytest.mark.parametrize("token", [None, "", "nonsense", "a.b.c", "ä" * 100])
def test_what_is_no_token_lets_nobody_in(calendar: Introspector, token: str | None) -> None:
    assert calendar.check(token, CALENDAR) is None


def test_what_was_ended_is_refused_at_the_next_call(world: World, calendar: Introspector) -> None:
    hold = world.hold()
    token = narrowed(world, hold)
    assert calendar.check(token, CALENDAR) is not None
    world.agent("planner").revoke(hold)
    assert calendar.check(token, CALENDAR) is None


def test_a_wrong_secret_lets_nobody_in(world: World) -> None:
    stranger = Introspector(world.url, "calendar-api", "another-secret-0123456789")
    with pytest.raises(IntrospectionError, match="HTTP 401"):
        stranger.check(narrowed(world, world.hold()), CALENDAR)


# -- a server that answers something else: it fails closed -------------------------

GOOD = {
    "active": True,
    "iss": "ISSUER",
    "aud": CALENDAR,
    "sub": "ana",
    "client_id": "planner",
    "scope": "calendar:read",
    "exp": 4_000_000_000,
    "act": {"iss": "ISSUER", "sub": "planner"},
}


@contextmanager
def answering(answer: Any, status: int = 200, issuer: str = "ISSUER") -> Iterator[str]:
    """Serve metadata, and one introspection answer with the server's own URL for `ISSUER`."""

    def make_app(url: str) -> Any:
        metadata = {"issuer": issuer, "introspection_endpoint": f"{url}/introspect"}

        def app(environ: Any, start_response: Any) -> list[bytes]:
            is_question = Request(environ).path == "/introspect"
            line = f"{status} Answer" if is_question else "200 OK"
            start_response(line, [("Content-Type", "application/json"), ("Location", f"{url}/x")])
            body = json.dumps(answer if is_question else metadata)
            return [body.replace("ISSUER", url).encode()]

        return app

    with serving(make_app) as url:
        yield url


def check(url: str) -> Any:
    return Introspector(url, "calendar-api", SECRET).check("a-token", CALENDAR)


def test_the_answer_that_the_others_differ_from_lets_in() -> None:
    with answering(GOOD) as url:
        assert str(check(url)) == "planner acts for ana"
    with answering(GOOD | {"aud": ["https://other.example", CALENDAR]}) as url:
        assert check(url) is not None


@pytest.mark.parametrize(
    "members",
    [
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": None},
        {"aud": [CALENDAR + "/"]},
    ],
)
def test_an_answer_about_something_else_lets_nobody_in(members: dict[str, Any]) -> None:
    with answering(GOOD | members) as url:
        assert check(url) is None


@pytest.mark.parametrize(
    "members",
    [
        {"sub": None},
        {"client_id": 7},
        {"scope": None},
        {"exp": "soon"},
        {"exp": 1e300},
        {"act": "planner"},
        {"act": {"sub": "planner"}},
        {"act": {"iss": "ISSUER", "sub": "booker", "act": []}},
        {"authorization_details": {"type": "payment"}},
        {"authorization_details": ["payment"]},
        {"authorization_details": [{"amount": "1"}]},
        {"authorization_details": [{"type": 1}]},
    ],
)
def test_an_answer_that_lacks_what_decides_lets_nobody_in(members: dict[str, Any]) -> None:
    with answering(GOOD | members) as url, pytest.raises(IntrospectionError, match="decides"):
        check(url)


@pytest.mark.parametrize(
    ("answer", "status"), [(GOOD, 500), (GOOD, 307), ({"error": "invalid_client"}, 401), ([], 200)]
)
def test_what_is_no_answer_lets_nobody_in(answer: Any, status: int) -> None:
    with answering(answer, status) as url, pytest.raises(IntrospectionError):
        check(url)


def test_the_metadata_of_another_issuer_is_not_believed() -> None:
    other = "https://other.example"
    with answering(GOOD, issuer=other) as url, pytest.raises(IntrospectionError, match="has no"):
        check(url)


def test_a_server_that_is_away_lets_nobody_in() -> None:
    with serving(lambda _: None) as url:
        pass
    with pytest.raises(IntrospectionError, match="ConnectError"):
        check(url)


def test_a_secret_is_never_sent_in_the_clear() -> None:
    with pytest.raises(IntrospectionError, match="not https"):
        check("http://id.example")


def test_an_error_names_neither_token_nor_secret() -> None:
    with answering(GOOD, 500) as url, pytest.raises(IntrospectionError) as failed:
        check(url)
    assert str(failed.value) == f"{url}/introspect: HTTP 500"
    assert isinstance(failed.value.__cause__, httpx.HTTPStatusError)
