"""CIBA Core 1.0 by poll, as openid-client does it: the person is asked in the middle of a task."""

from pathlib import Path

import pytest

from cli.running import Served
from clients.running import Library, Seen
from support.agents_http import decode

PAY = "https://pay.example"


@pytest.fixture(scope="module")
def seen(served: Served, node: Path) -> Seen:
    """What the program saw; it waits for the interval that the server names."""
    library = Library(("node",), node / "openid-client", ".mjs")
    secret = "planner-secret-0123456789"
    return library.run("approval", ISSUER=served.url, CLIENT_ID="planner", CLIENT_SECRET=secret)


def test_without_the_person_it_is_refused(seen: Seen) -> None:
    assert seen["refused"] == "interaction_required"


def test_the_answer_says_how_often_and_for_how_long(seen: Seen) -> None:
    """CIBA Core §7.3."""
    asked = seen["asked"]
    assert set(asked) == {"auth_req_id", "expires_in", "interval"}
    assert asked["interval"] == 5
    assert 0 < asked["expires_in"] <= 300


def test_what_the_person_approved_is_a_token_for_that_alone(seen: Seen) -> None:
    """CIBA Core §10.1.1."""
    approved = seen["approved"]
    assert approved["scope"] == "pay:transfer"
    (detail,) = approved["authorization_details"]
    assert (detail["type"], detail["amount"]) == ("payment", "420.00")
    assert "refresh_token" not in approved
    # It is good for one use, and so tells nobody but its API what it is.
    assert approved["access_token"].startswith("duse_")


def test_the_id_token_says_who_and_no_more(served: Served, seen: Seen) -> None:
    claims = seen["claims"]
    assert (claims["iss"], claims["aud"]) == (served.url, "planner")
    assert claims["sub"] == decode(seen["granted"]["access_token"])[1]["sub"]
    assert set(claims) <= {"iss", "sub", "aud", "iat", "exp", "auth_time", "acr", "amr"}
