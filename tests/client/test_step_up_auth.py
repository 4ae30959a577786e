"""An API wants the person's word (RFC 9470), and an httpx client gets it: at most once."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from client.asking import answer
from client.deciding import Waiting, decide, inbox
from deputize.client import AgentClient, AsyncAgentClient, AsyncHold, Hold, OAuthError
from deputize.resource import Guard, Introspector, Refused
from support.agents_http import unix_time
from support.serving import serving
from support.world import CALENDAR, CALLBACK, PAY, SECRET, World

MESSAGE = "Lisbon, 3 to 6 December"
LATER = 700  # seconds: what the test before asked has expired, and no `no` is remembered
RECENT = 60  # seconds since the person has signed in

NEEDS: dict[str, dict[str, Any]] = {
    "GET": {"scope": "calendar:read"},
    "POST": {"scope": "calendar:write", "max_age": RECENT},
    "PUT": {"scope": "calendar:write", "acr": "phr pwd"},
    "PATCH": {"scope": "calendar:write", "acr": "phr"},
    "DELETE": {"scope": "pay:transfer", "max_age": RECENT},
}


@dataclass
class Calendar:
    """An API whose methods need more or less; what it was sent, and by whom it was called."""

    guard: Guard
    url: str = ""
    called: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.bodies.append(request.get_data())
        try:
            authorization = request.headers.get("Authorization")
            access = self.guard.admit(authorization, **NEEDS[request.method])
            self.called.append(str(access))
            answered = Response(str(access))
        except Refused as refused:
            self.called.append(str(refused))
            answered = Response(status=refused.status, headers=refused.headers)
        return answered(environ, start_response)


@pytest.fixture(scope="module")
def introspector(world: World) -> Iterator[Introspector]:
    made = Introspector(world.url, "calendar-api", SECRET, clock=unix_time)
    yield made
    made.close()


@pytest.fixture
def api(introspector: Introspector) -> Iterator[Calendar]:
    calendar = Calendar(Guard(introspector, CALENDAR, clock=unix_time))

    def make_app(url: str) -> Calendar:
        calendar.url = url
        return calendar

    with serving(make_app):
        yield calendar


@pytest.fixture(autouse=True)
def waiting(world: World) -> Waiting:
    world.pass_time(LATER)
    return Waiting(world)


@pytest.fixture
def hold(world: World, waiting: Waiting) -> Iterator[Hold]:
    """Planner's, which may read the calendar."""
    key = world.keys["planner"]
    with AgentClient.discover(
        world.url, "planner", key=key, clock=unix_time, sleep=waiting
    ) as planner:
        url, asked = planner.authorization_url(
            CALLBACK, scope="calendar:read", resource=[CALENDAR, PAY]
        )
        yield Hold(planner.redeem(asked.code_in(answer(world, url)), asked))


@pytest.fixture
def http(api: Calendar, hold: Hold) -> Iterator[httpx.Client]:
    auth = hold.auth(CALENDAR, ask=MESSAGE)
    with httpx.Client(base_url=api.url, auth=auth, trust_env=False) as http:
        yield http


REFUSED = "401 insufficient_user_authentication"
LET_IN = "planner acts for ana"


def test_the_person_is_asked_and_the_request_is_sent_again(
    world: World, api: Calendar, http: httpx.Client, waiting: Waiting
) -> None:
    waiting.at(1, lambda: decide(world, "approve", unix_time()))
    assert http.post("/events", json={"day": 3}).status_code == 200
    assert api.called == [REFUSED, LET_IN]
    assert api.bodies[0] == api.bodies[1] != b""


def test_they_read_the_agents_words(world: World, http: httpx.Client, waiting: Waiting) -> None:
    read: list[str] = []
    waiting.at(1, lambda: read.extend(inbox(world)))
    waiting.at(2, lambda: decide(world, "deny"))
    with pytest.raises(OAuthError) as refused:
        http.post("/events")
    assert refused.value.error == "access_denied"
    assert len(read) == 1
    assert MESSAGE in read[0]
    assert "Change your calendar" in read[0]


def test_what_still_does_not_do_is_the_callers_to_see(
    world: World, api: Calendar, http: httpx.Client, waiting: Waiting
) -> None:
    """She said yes, and had signed in long ago: nobody is asked a second time."""
    waiting.at(1, partial(decide, world, "approve"))
    assert http.post("/events").status_code == 401
    assert api.called == [REFUSED, REFUSED]
    assert inbox(world) == []


def test_a_scope_that_lacks_is_asked_for_as_well(
    world: World, api: Calendar, http: httpx.Client, waiting: Waiting
) -> None:
    """The hold is of somebody who signed in well enough, and did not grant it."""
    waiting.at(1, partial(decide, world, "approve"))
    assert http.put("/events").status_code == 200
    assert api.called == ["403 insufficient_scope", LET_IN]


def test_the_hold_is_no_wider_afterwards(
    world: World, api: Calendar, http: httpx.Client, hold: Hold, waiting: Waiting
) -> None:
    waiting.at(1, partial(decide, world, "approve"))
    http.put("/events")
    assert hold.narrow(CALENDAR).scope == {"calendar:read"}
    assert http.get("/events").status_code == 200


def test_unless_it_is_told_to_nobody_is_asked(world: World, api: Calendar, hold: Hold) -> None:
    auth = hold.auth(CALENDAR)
    with httpx.Client(base_url=api.url, auth=auth, trust_env=False) as http:
        assert http.post("/events").status_code == 401
    assert len(api.called) == 1
    assert inbox(world) == []


def test_an_api_cannot_have_another_apis_scope_asked_for(world: World, http: httpx.Client) -> None:
    with pytest.raises(OAuthError) as refused:
        http.delete("/events")
    assert refused.value.error == "invalid_scope"
    assert inbox(world) == []


def test_a_body_that_is_gone_asks_nobody(world: World, api: Calendar, http: httpx.Client) -> None:
    assert http.post("/events", content=iter([b"once"])).status_code == 401
    assert len(api.called) == 1
    assert inbox(world) == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, 'Bearer error="insufficient_user_authentication"'),
        (401, 'Basic error="insufficient_user_authentication", scope="calendar:write"'),
        (403, 'Bearer error="insufficient_user_authentication", scope="calendar:write"'),
        (401, 'Bearer error="insufficient_user_authentication", scope="a  b\\"'),
        (401, 'Bearer error="insufficient_user_authentication", scope="ä"'),
        (200, 'Bearer error="insufficient_user_authentication", scope="calendar:write"'),
    ],
)
def test_what_is_no_such_challenge_asks_nobody(
    world: World, hold: Hold, status: int, said: str
) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        headers = {"WWW-Authenticate": said.encode().decode("latin-1")}
        return Response(status=status, headers=headers)(environ, start_response)

    auth = hold.auth(CALENDAR, ask=MESSAGE)
    with serving(lambda _: app) as url, httpx.Client(auth=auth, trust_env=False) as http:
        assert http.get(url).status_code == status
    assert inbox(world) == []


def test_beside_another_schemes_challenge_it_is_found(
    world: World, hold: Hold, waiting: Waiting
) -> None:
    said = (
        'Basic realm="x", Bearer realm="y", error=insufficient_user_authentication,'
        ' scope="calendar:write", DPoP algs="ES256"'
    )
    shown: list[str] = []

    def app(environ: Any, start_response: Any) -> Any:
        shown.append(environ["HTTP_AUTHORIZATION"])
        status = 200 if len(shown) > 1 else 401
        return Response(status=status, headers={"WWW-Authenticate": said})(environ, start_response)

    waiting.at(1, partial(decide, world, "approve"))
    auth = hold.auth(CALENDAR, ask=MESSAGE)
    with serving(lambda _: app) as url, httpx.Client(auth=auth, trust_env=False) as http:
        assert http.get(url).status_code == 200
    assert len(set(shown)) == 2


def test_in_an_event_loop_too(world: World, api: Calendar, hold: Hold, waiting: Waiting) -> None:
    waiting.at(1, partial(decide, world, "approve"))

    async def story() -> httpx.Response:
        key = world.keys["planner"]
        async with await AsyncAgentClient.discover(
            world.url, "planner", key=key, clock=unix_time, sleep=waiting.awaited
        ) as planner:
            url, asked = await planner.authorization_url(
                CALLBACK, scope="calendar:read", resource=[CALENDAR]
            )
            code = asked.code_in(answer(world, url))
            own = AsyncHold(await planner.redeem(code, asked))
            auth = own.auth(CALENDAR, ask=MESSAGE)
            async with httpx.AsyncClient(base_url=api.url, auth=auth, trust_env=False) as http:
                return await http.put("/events")

    assert asyncio.run(story()).status_code == 200
    assert api.called == ["403 insufficient_scope", LET_IN]


def test_a_hold_of_threads_lets_an_asynchronous_client_in(
    world: World, api: Calendar, hold: Hold, waiting: Waiting
) -> None:
    waiting.at(1, partial(decide, world, "approve"))

    async def story() -> httpx.Response:
        auth = hold.auth(CALENDAR, ask=MESSAGE)
        async with httpx.AsyncClient(base_url=api.url, auth=auth, trust_env=False) as http:
            return await http.put("/events")

    assert asyncio.run(story()).status_code == 200
