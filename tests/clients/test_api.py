"""An API by each library: what it is told of a token that an agent brings it."""

import pytest

from cli.running import Served
from clients.running import Library, Seen
from support.agents_http import decode

CALENDAR = "https://calendar.example"


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    """A token with which booker reads Ana's calendar, through planner."""
    held = served.hold()["access_token"]
    taken = served.hand_over(held, "planner", "booker", "calendar:read")
    narrowed = served.agent("booker").exchange(taken, resource=CALENDAR)
    return str(narrowed.json()["access_token"])


@pytest.fixture(scope="module")
def seen(served: Served, library: Library, token: str) -> Seen:
    """What one program saw."""
    return library.run(
        "api",
        ISSUER=served.url,
        CLIENT_ID="calendar-api",
        CLIENT_SECRET="calendar-secret-0123456789",
        TOKEN=token,
    )


def test_it_is_told_who_acts_for_whom(seen: Seen) -> None:
    """RFC 7662 §2.2, with the claims of RFC 8693 §4.1."""
    told = seen["introspected"]
    assert told["active"] is True
    assert told["token_type"] == "Bearer"
    assert (told["aud"], told["scope"]) == (CALENDAR, "calendar:read")
    assert told["sub"].startswith("p-")
    assert (told["act"]["sub"], told["act"]["act"]["sub"]) == ("booker", "planner")


def test_the_signed_answer_says_the_same(seen: Seen) -> None:
    """RFC 9701 §5: the library has verified signature, type, issuer and audience."""
    assert seen["signed"] == seen["introspected"]


def test_a_library_that_verifies_the_token_itself_reads_the_same(seen: Seen, token: str) -> None:
    """RFC 9068 §4; openid-client is for clients alone and does not."""
    _, claims = decode(token)
    assert seen.get("verified", claims) == claims
