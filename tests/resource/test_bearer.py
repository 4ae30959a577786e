"""The bearer token in a request, and the challenge that answers without one (RFC 6750)."""

import pytest

from deputize.resource import challenge, find_bearer_token


@pytest.mark.parametrize("header", ["Bearer a.b-c_d~e+f/g==", "bearer  a.b-c_d~e+f/g== "])
def test_the_token_is_what_follows_the_scheme(header: str) -> None:
    assert find_bearer_token(header) == "a.b-c_d~e+f/g=="


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer ä", "Bearer " + "a" * 20000],
)
def test_anything_else_is_no_token(header: str | None) -> None:
    assert find_bearer_token(header) is None


def test_a_challenge_says_what_is_wrong_and_what_is_needed() -> None:
    assert challenge() == "Bearer"
    assert challenge("invalid_token") == 'Bearer error="invalid_token"'
    told = challenge("insufficient_scope", scope="calendar:read calendar:write")
    assert told == 'Bearer error="insufficient_scope", scope="calendar:read calendar:write"'
