"""Authorization details (RFC 9396) as an agent's developer meets them: asked for as dicts, and
told back as what was granted, which may be less.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from client.asking import answer
from client.counting import issued
from client.deciding import Waiting, decide, inbox
from deputize.client import (
    AgentClient,
    AsyncAgentClient,
    AsyncHold,
    Hold,
    OAuthError,
    ProtocolError,
    Token,
)
from deputize.client.lease import lease_in
from support.agents_http import unix_time
from support.details import declare, folders, payment
from support.serving import serving
from support.world import CALENDAR, CALLBACK, PAY, World

SCOPE = "calendar:read files:read pay:order"
HELD = [folders("trips", "work"), folders("bills", size=[1, 50])]
MORE = [folders("letters")]
LATER = 700  # seconds: what the test before asked has expired
LOWERED: dict[str, str] = {"amount-0-amount": "400.00"}
CHALLENGE = (
    'Bearer error="insufficient_user_authentication", acr_values="phr pwd", max_age="60",'
    ' scope="files:read"'
)


@pytest.fixture(scope="module", autouse=True)
def declared(world: World) -> None:
    declare(world)


@pytest.fixture(autouse=True)
def waiting(world: World) -> Waiting:
    world.pass_time(LATER)
    return Waiting(world)


@pytest.fixture
def sent() -> list[str]:
    """The bodies that planner sent."""
    return []


@pytest.fixture
def planner(world: World, waiting: Waiting, sent: list[str]) -> Iterator[AgentClient]:
    def note(request: httpx.Request) -> None:
        sent.append(request.content.decode())

    http = httpx.Client(timeout=10, event_hooks={"request": [note]})
    key = world.keys["planner"]
    with AgentClient.discover(
        world.url, "planner", key=key, clock=unix_time, sleep=waiting, http=http
    ) as planner:
        yield planner


@pytest.fixture
def token(world: World, planner: AgentClient) -> Token:
    """Planner's hold on some folders, and on no payment."""
    url, asked = planner.authorization_url(
        CALLBACK, scope=SCOPE, resource=[CALENDAR, PAY], authorization_details=HELD
    )
    return planner.redeem(asked.code_in(answer(world, url)), asked)


@pytest.fixture
def shop() -> Iterator[tuple[str, list[str]]]:
    """An API that wants the person's word first, and the tokens that it was shown."""
    shown: list[str] = []

    def app(environ: Any, start_response: Any) -> Any:
        shown.append(Request(environ).headers["Authorization"].removeprefix("Bearer "))
        headers = {} if len(shown) > 1 else {"WWW-Authenticate": CHALLENGE}
        return Response(status=401 if headers else 200, headers=headers)(environ, start_response)

    with serving(lambda _: app) as url:
        yield url, shown


def by_name(details: Any) -> list[Any]:
    return sorted(details, key=str)


class TestWhatIsHeld:
    def test_a_person_consents_to_them(self, token: Token) -> None:
        assert by_name(token.authorization_details) == by_name(HELD)

    def test_they_may_be_pushed(self, world: World, planner: AgentClient) -> None:
        url, asked = planner.authorization_url(
            CALLBACK, scope=SCOPE, resource=[CALENDAR], authorization_details=HELD, push=True
        )
        assert "authorization_details" not in url
        token = planner.redeem(asked.code_in(answer(world, url)), asked)
        assert by_name(token.authorization_details) == by_name(HELD)

    def test_without_any_there_are_none(self, world: World, planner: AgentClient) -> None:
        url, asked = planner.authorization_url(CALLBACK, scope="calendar:read", resource=[CALENDAR])
        assert "authorization_details" not in url
        token = planner.redeem(asked.code_in(answer(world, url)), asked)
        assert token.authorization_details == ()

    def test_narrowing_may_name_less(self, token: Token) -> None:
        less = [folders("trips")]
        narrow = token.narrow(CALENDAR, "files:read", authorization_details=less)
        assert narrow.authorization_details == tuple(less)
        assert by_name(token.narrow(CALENDAR).authorization_details) == by_name(HELD)

    def test_more_is_refused(self, token: Token) -> None:
        with pytest.raises(OAuthError) as refused:
            token.narrow(CALENDAR, "files:read", authorization_details=[folders("secrets")])
        assert refused.value.error == "invalid_authorization_details"

    def test_renewed_and_refreshed_they_stay(self, token: Token) -> None:
        for later in (token.renew(), token.refresh()):
            assert by_name(later.authorization_details) == by_name(HELD)

    def test_a_hand_over_may_name_less(
        self, world: World, agent: Callable[[str], AgentClient], token: Token
    ) -> None:
        less = [folders("work")]
        given = Hold(token).hand_over("booker", "files:read", authorization_details=less)
        assert agent("booker").take(given.value).authorization_details == tuple(less)

    def test_a_hold_keeps_a_token_for_each(self, world: World, token: Token) -> None:
        hold = Hold(token)
        both = [folders("trips"), folders("bills", size=[2, 3])]
        with issued(world) as made:
            first = hold.narrow(CALENDAR, "files:read", authorization_details=both)
            again = hold.narrow(CALENDAR, "files:read", authorization_details=both[::-1])
            other = hold.narrow(CALENDAR, "files:read", authorization_details=both[:1])
        assert first == again != other
        assert len(made) == 2

    def test_its_auth_shows_a_token_for_them(
        self, token: Token, shop: tuple[str, list[str]]
    ) -> None:
        url, shown = shop
        hold, less = Hold(token), [folders("trips")]
        auth = hold.auth(CALENDAR, "files:read", authorization_details=less)
        with httpx.Client(auth=auth, trust_env=False) as http:
            http.get(url)
        kept = hold.narrow(CALENDAR, "files:read", authorization_details=less)
        assert shown == [kept.value]

    def test_they_stand_in_no_repr(self, token: Token) -> None:
        assert "trips" not in repr(token)


class TestWhatThePersonIsAsked:
    def test_a_lower_amount_is_what_the_token_tells(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        waiting.at(1, lambda: decide(world, "approve", **LOWERED))
        paying = token.ask("pay:order", PAY, authorization_details=[payment("420.00")])
        assert paying.authorization_details == (payment("400.00"),)

    def test_they_read_what_it_means(self, world: World, token: Token) -> None:
        token.put_question("pay:order", PAY, authorization_details=[payment("420.00")])
        (card,) = inbox(world)
        assert "Pay <bdi>€</bdi><bdi>420.00</bdi> to <bdi>Airline X</bdi>" in card

    def test_an_exchange_asks_for_them_too(
        self, world: World, token: Token, waiting: Waiting
    ) -> None:
        waiting.at(1, partial(decide, world, "approve"))
        asked = [payment("1")]
        paying = token.narrow(PAY, "pay:order", authorization_details=asked, message="Now")
        assert paying.authorization_details == tuple(asked)

    def test_where_an_api_asks_they_go_with_it(
        self,
        world: World,
        token: Token,
        waiting: Waiting,
        shop: tuple[str, list[str]],
        sent: list[str],
    ) -> None:
        """And what the API says of signing in is handed on (CIBA Core §7.1)."""
        waiting.at(1, partial(decide, world, "approve"))
        url, shown = shop
        auth = Hold(token).auth(CALENDAR, ask="Now", ask_details=MORE)
        with httpx.Client(auth=auth, trust_env=False) as http:
            assert http.post(url).status_code == 200
        (question,) = [body for body in sent if "login_hint_token" in body]
        assert "acr_values=phr+pwd" in question
        assert world.api().introspect(shown[1]).json()["authorization_details"] == MORE


def test_in_an_event_loop_it_is_the_same(
    world: World, waiting: Waiting, shop: tuple[str, list[str]]
) -> None:
    url, shown = shop
    waiting.at(1, lambda: decide(world, "approve", **LOWERED))
    waiting.at(2, partial(decide, world, "approve"))
    waiting.at(3, partial(decide, world, "approve"))

    async def story() -> None:
        async with await AsyncAgentClient.discover(
            world.url,
            "planner",
            key=world.keys["planner"],
            clock=unix_time,
            sleep=waiting.awaited,
        ) as planner:
            link, asked = await planner.authorization_url(
                CALLBACK, scope=SCOPE, resource=[CALENDAR, PAY], authorization_details=HELD
            )
            hold = AsyncHold(await planner.redeem(asked.code_in(answer(world, link)), asked))
            less = [folders("trips")]
            narrow = await hold.narrow(CALENDAR, "files:read", authorization_details=less)
            assert narrow.authorization_details == tuple(less)
            given = await hold.hand_over("booker", "files:read", authorization_details=less)
            assert given.authorization_details == tuple(less)
            paying = await hold.ask("pay:order", authorization_details=[payment("420.00")])
            assert paying.authorization_details == (payment("400.00"),)
            own, one = await hold.token(), [payment("1")]
            paying = await own.narrow(PAY, "pay:order", authorization_details=one, message="Now")
            assert paying.authorization_details == tuple(one)
            auth = hold.auth(CALENDAR, ask="Then", ask_details=MORE)
            async with httpx.AsyncClient(auth=auth, trust_env=False) as http:
                assert (await http.post(url)).status_code == 200

    asyncio.run(story())
    assert world.api().introspect(shown[1]).json()["authorization_details"] == MORE


@pytest.mark.parametrize("told", ["payment", {"type": "payment"}, ["payment"], None])
def test_an_answer_that_tells_no_details_is_not_believed(told: Any) -> None:
    answered = {"access_token": "x", "expires_in": 1, "authorization_details": told}
    with pytest.raises(ProtocolError, match="authorization_details"):
        lease_in(answered, 0)
