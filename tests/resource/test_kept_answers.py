"""The server's answers are kept for the window that is stated, and for no longer."""

from collections.abc import Iterator
from typing import Any

import pytest

from deputize.resource import Introspector
from support.world import CALENDAR, SECRET

NOW = 1_764_000_000


@pytest.fixture
def keeping(issuer: Any) -> Iterator[Introspector]:
    made = Introspector(issuer.url, "a", SECRET, max_age=30, clock=lambda: issuer.now)
    yield made
    made.close()


def test_answers_are_none_unless_a_window_is_stated(issuer: Any, counted: Introspector) -> None:
    token = issuer.sign()
    for _ in range(3):
        counted.check(token, CALENDAR)
    assert issuer.asked["/introspect"] == 3


def test_answers_are_used_within_the_window(issuer: Any, keeping: Introspector) -> None:
    token = issuer.sign()
    for late, times in ((0, 1), (29, 1), (30, 2), (59, 2), (60, 3)):
        issuer.now = NOW + late
        assert keeping.check(token, CALENDAR) is not None
        assert issuer.asked["/introspect"] == times


def test_answers_are_never_of_another_token_or_audience(issuer: Any, keeping: Introspector) -> None:
    token = issuer.sign()
    keeping.check(token, CALENDAR)
    assert keeping.check(token, "https://flights.example") is None
    keeping.check(issuer.sign(sub="ben"), CALENDAR)
    assert issuer.asked["/introspect"] == 2


def test_answers_never_outlive_the_token(issuer: Any, keeping: Introspector) -> None:
    token = issuer.sign()
    issuer.now = NOW + 295
    keeping.check(token, CALENDAR)
    issuer.now, issuer.is_active = NOW + 300, False
    assert keeping.check(token, CALENDAR) is None, "within the leeway, but the server decides"
    assert issuer.asked["/introspect"] == 2


def test_answers_are_never_that_a_token_is_not_active(issuer: Any, keeping: Introspector) -> None:
    token = issuer.sign()
    issuer.is_active = False
    assert keeping.check(token, CALENDAR) is None
    issuer.is_active = True
    assert keeping.check(token, CALENDAR) is not None


def test_answers_are_never_of_an_opaque_token(issuer: Any, keeping: Introspector) -> None:
    for _ in range(3):
        keeping.check("good-for-one-use", CALENDAR)
    assert issuer.asked["/introspect"] == 3


def test_answers_are_so_many_and_no_more(
    issuer: Any, keeping: Introspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deputize.resource.introspection.KEPT", 2)
    tokens = [issuer.sign(sub=f"p{number}") for number in range(3)]
    for token in (*tokens, tokens[2], tokens[0]):
        keeping.check(token, CALENDAR)
    assert issuer.asked["/introspect"] == 4, "the oldest went"


@pytest.mark.parametrize("max_age", [-1, 3601])
def test_answers_need_a_window_that_makes_sense(max_age: float) -> None:
    with pytest.raises(ValueError, match="max_age"):
        Introspector("https://id.example", "a", SECRET, max_age=max_age)
