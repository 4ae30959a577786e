"""The server's keys are read when they are needed, by one at a time, and not kept for ever."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import ECKey

from deputize.resource import AsyncIntrospector, IntrospectionError, Introspector, UntilExpiry
from support.world import CALENDAR, SECRET

NOW = 1_764_000_000
WELL_KNOWN = "/.well-known/oauth-authorization-server"
THREADS = 8


def test_keys_are_read_once(issuer: Any, counted: Introspector) -> None:
    for _ in range(3):
        assert counted.check(issuer.sign(), CALENDAR) is not None
    assert issuer.asked == {WELL_KNOWN: 1, "/jwks": 1, "/introspect": 3}


def test_keys_are_read_once_for_all_threads(issuer: Any, counted: Introspector) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        token = issuer.sign()
        found = list(threads.map(lambda _: counted.check(token, CALENDAR), range(16)))
    assert all(found)
    assert issuer.asked == {WELL_KNOWN: 1, "/jwks": 1, "/introspect": 16}


def test_keys_are_read_once_for_all_tasks(issuer: Any) -> None:
    async def ask() -> list[Any]:
        checker = AsyncIntrospector(issuer.url, "a", SECRET, clock=lambda: issuer.now)
        token = issuer.sign()
        found = await asyncio.gather(*(checker.check(token, CALENDAR) for _ in range(16)))
        await checker.aclose()
        return found

    assert all(asyncio.run(ask()))
    assert issuer.asked == {WELL_KNOWN: 1, "/jwks": 1, "/introspect": 16}


def test_keys_are_read_again_for_an_unknown_one_at_most_once_a_minute(
    issuer: Any, offline: UntilExpiry
) -> None:
    assert offline.check(issuer.sign(), CALENDAR) is not None
    issuer.keys["k2"] = ECKey.generate_key("P-256")
    token = issuer.sign({"kid": "k2"}, issuer.keys["k2"])
    for late, is_in, times in ((59, False, 1), (60, True, 2), (61, True, 2)):
        issuer.now = NOW + late
        assert (offline.check(token, CALENDAR) is not None) is is_in
        assert issuer.asked["/jwks"] == times
    for number in range(5):
        assert offline.check(issuer.sign({"kid": f"made-up-{number}"}), CALENDAR) is None
    assert issuer.asked["/jwks"] == 2


def test_keys_that_the_server_dropped_are_not_believed_for_ever(
    issuer: Any, offline: UntilExpiry
) -> None:
    token = issuer.sign(exp=NOW + 3600)
    assert offline.check(token, CALENDAR) is not None
    issuer.keys = {"k2": ECKey.generate_key("P-256")}
    issuer.now = NOW + 599
    assert offline.check(token, CALENDAR) is not None
    issuer.now = NOW + 600
    assert offline.check(token, CALENDAR) is None


def test_keys_that_cannot_be_read_let_nobody_in(issuer: Any, counted: Introspector) -> None:
    issuer.status = 500
    with pytest.raises(IntrospectionError, match="/jwks: HTTP 500"):
        counted.check(issuer.sign(), CALENDAR)
    issuer.status = 200
    with pytest.raises(IntrospectionError, match="a moment ago"):
        counted.check(issuer.sign(), CALENDAR)
    assert issuer.asked["/jwks"] == 1, "who waits behind a server that is away does not queue up"
    issuer.now = NOW + 1
    assert counted.check(issuer.sign(), CALENDAR) is not None


def test_keys_that_make_no_sense_are_passed_over(
    issuer: Any, offline: UntilExpiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = issuer.public()
    odd = [7, {}, {"kid": "a", "kty": "EC"}, {"kid": "b", "kty": "oct", "k": "AAAA"}]
    monkeypatch.setattr(issuer, "public", lambda: [*odd, *good])
    assert offline.check(issuer.sign(), CALENDAR) is not None
