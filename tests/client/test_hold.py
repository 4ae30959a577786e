"""A hold looks after itself: renewed in time, narrow tokens kept, one renewal at a time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from client.counting import issued
from client.signing import replace_signing_key
from deputize.client import AgentClient, Hold, OAuthError, Token
from support.world import CALENDAR, FLIGHTS, World

Agents = Callable[[str], AgentClient]

NEARLY_EXPIRED = 250  # seconds of the 300 that a token lives
EXPIRED = 310
THREADS = 8


@pytest.fixture
def taken(agent: Agents, hold: Token) -> Token:
    """What booker took: it has no refresh token."""
    return agent("booker").take(hold.hand_over("booker", "flights:search").value)


class TestItsOwnToken:
    def test_is_the_one_it_was_made_of_while_that_is_fresh(self, world: World, hold: Token) -> None:
        with issued(world) as asked:
            assert Hold(hold).token() == hold
        assert asked == []

    def test_is_one_for_the_server_itself(self, hold: Token) -> None:
        with pytest.raises(ValueError, match="itself"):
            Hold(hold.narrow(CALENDAR))

    def test_is_renewed_before_it_expires(self, world: World, taken: Token) -> None:
        kept = Hold(taken)
        world.pass_time(NEARLY_EXPIRED)
        renewed = kept.token()
        assert renewed.value != taken.value
        assert renewed.claims["delegation_id"] == taken.claims["delegation_id"]
        assert renewed.expires_at > taken.expires_at
        assert kept.token() == renewed

    def test_keeps_its_refresh_token_when_renewed(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        world.pass_time(NEARLY_EXPIRED)
        assert kept.token().refresh_token == hold.refresh_token

    def test_is_refreshed_once_it_has_expired(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        world.pass_time(EXPIRED)
        refreshed = kept.token()
        assert refreshed.refresh_token not in (None, hold.refresh_token)
        world.pass_time(EXPIRED)
        assert kept.token().refresh_token not in (None, refreshed.refresh_token)

    def test_is_refreshed_where_it_cannot_be_renewed(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        world.pass_time(NEARLY_EXPIRED)
        replace_signing_key(world)
        assert kept.token().refresh_token not in (None, hold.refresh_token)
        assert world.is_active(kept.narrow(CALENDAR).value)

    def test_is_refreshed_again_when_the_reply_was_lost(self, world: World, hold: Token) -> None:
        def lose(_: httpx.Response) -> None:
            raise httpx.ReadTimeout("lost")

        kept = Hold(hold)
        world.pass_time(EXPIRED)
        hold.agent._http.event_hooks = {"response": [lose]}
        with issued(world) as asked, pytest.raises(httpx.ReadTimeout):
            kept.token()
        assert asked == [world.url], "the refresh token was used up"
        hold.agent._http.event_hooks = {}
        assert kept.token().refresh_token not in (None, hold.refresh_token)

    def test_cannot_be_had_once_it_has_expired_without_a_refresh_token(
        self, world: World, taken: Token
    ) -> None:
        kept = Hold(taken)
        world.pass_time(EXPIRED)
        with pytest.raises(OAuthError) as refused:
            kept.token()
        assert (refused.value.error, refused.value.status) == ("invalid_request", 400)

    def test_is_renewed_in_a_with_while_nobody_asks(self, world: World, taken: Token) -> None:
        world.pass_time(NEARLY_EXPIRED)
        before = len(world.events("delegation.issued"))
        with Hold(taken) as kept:
            until(lambda: len(world.events("delegation.issued")) > before)
        with issued(world) as asked:
            assert kept.token().value != taken.value
        assert asked == []

    def test_is_left_alone_in_a_with_once_the_server_has_said_no(
        self, world: World, hold: Token, taken: Token
    ) -> None:
        hold.revoke()
        world.pass_time(NEARLY_EXPIRED)
        before = len(world.events("token.refused"))
        with Hold(taken) as kept:
            until(lambda: kept._upkeep.rests)
        assert len(world.events("token.refused")) == before + 1


class TestNarrowTokens:
    def test_are_kept_by_api_and_scope(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        with issued(world) as asked:
            for _ in range(3):
                assert kept.narrow(CALENDAR).scope == {"calendar:read", "calendar:write"}
                assert kept.narrow(CALENDAR, "calendar:read").scope == {"calendar:read"}
                assert kept.narrow(FLIGHTS).audience == FLIGHTS
        assert sorted(asked) == [CALENDAR, CALENDAR, FLIGHTS]

    def test_do_not_depend_on_the_order_of_the_scopes(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        with issued(world) as asked:
            one = kept.narrow(CALENDAR, "calendar:read calendar:write")
            assert kept.narrow(CALENDAR, "calendar:write calendar:read") == one
        assert asked == [CALENDAR]

    def test_are_never_handed_out_when_about_to_expire(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        old = kept.narrow(CALENDAR)
        world.pass_time(NEARLY_EXPIRED)
        with issued(world) as asked:
            new = kept.narrow(CALENDAR)
        assert asked == [world.url, CALENDAR], "the hold is renewed first"
        assert new.expires_at > old.expires_at
        assert world.is_active(new.value)

    def test_are_forgotten_when_they_are_too_many(
        self, world: World, hold: Token, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deputize.client.leases.KEPT", 2)
        kept = Hold(hold)
        with issued(world) as asked:
            for wanted in (CALENDAR, FLIGHTS, CALENDAR, CALENDAR):
                kept.narrow(wanted)
            kept.narrow(CALENDAR, "calendar:read")
            kept.narrow(CALENDAR)
            kept.narrow(FLIGHTS)
        assert sorted(asked) == [CALENDAR, CALENDAR, FLIGHTS, FLIGHTS], "the least used one went"

    def test_that_an_api_refused_are_dropped(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        refused = kept.narrow(CALENDAR)
        kept.drop(refused)
        another = kept.narrow(CALENDAR)
        assert another.value != refused.value
        kept.drop(refused)
        assert kept.narrow(CALENDAR) == another, "what came since then stays"


class TestWhatItPassesOn:
    def test_is_handed_over_by_a_fresh_token(
        self, world: World, agent: Agents, hold: Token
    ) -> None:
        kept = Hold(hold)
        world.pass_time(EXPIRED)
        given = kept.hand_over("booker", "flights:search")
        assert agent("booker").take(given.value, FLIGHTS).chain() == ("booker", "planner")

    def test_may_be_a_helper_of_its_own(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        world.pass_time(EXPIRED)
        helper = kept.spawn(scope="flights:search", purpose="Compare fares")
        held = Hold(helper.take(kept.hand_over(helper.client_id, "flights:search").value))
        assert held.narrow(FLIGHTS).chain() == (helper.client_id, "planner")


class TestEnding:
    def test_ends_all_that_was_made_from_it(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        token = kept.narrow(CALENDAR)
        kept.revoke()
        assert not world.is_active(token.value)
        for ask in (kept.token, lambda: kept.narrow(CALENDAR)):
            with pytest.raises(OAuthError):
                ask()

    def test_by_another_is_told_when_it_asks(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        world.stop("planner")
        try:
            with pytest.raises(OAuthError) as refused:
                kept.narrow(CALENDAR)
        finally:
            world.start("planner")
        assert (refused.value.error, refused.value.status) == ("invalid_client", 401)


class TestThreads:
    def test_share_one_narrow_token(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        with issued(world) as asked:
            tokens = at_once(lambda: kept.narrow(CALENDAR))
        assert len({token.value for token in tokens}) == 1
        assert asked == [CALENDAR]

    def test_use_a_refresh_token_up_once(self, world: World, hold: Token) -> None:
        kept = Hold(hold)
        world.pass_time(EXPIRED)
        with issued(world) as asked:
            tokens = at_once(kept.token)
        assert len({token.value for token in tokens}) == 1
        assert asked == [world.url]
        world.pass_time(EXPIRED)
        assert kept.token().refresh_token, "no use of it was taken for theft"


def at_once(ask: Callable[[], Token]) -> list[Token]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda _: ask(), range(THREADS * 2)))


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
