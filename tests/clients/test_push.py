"""A request pushed by each library that can (RFC 9126); Authlib's client cannot."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.running import Served
from clients.running import Library, Seen
from support.agents_http import decode


@pytest.fixture(scope="module", params=["openid-client", "oauth4webapi"])
def seen(request: pytest.FixtureRequest, served: Served, node: Path) -> Seen:
    """What one program saw, from the push to the token."""
    library = Library(("node",), node / request.param, ".mjs")
    secret = "planner-secret-0123456789"
    return library.run("push", ISSUER=served.url, CLIENT_ID="planner", CLIENT_SECRET=secret)


def test_the_browser_carries_a_reference_alone(seen: Seen) -> None:
    carried = parse_qs(urlsplit(seen["url"]).query)
    assert carried["client_id"] == ["planner"]
    assert carried["request_uri"][0].startswith("urn:ietf:params:oauth:request_uri:")
    assert len(carried) == 2


def test_the_person_is_asked_what_was_pushed(seen: Seen) -> None:
    assert seen["granted"]["scope"] == "calendar:read tasks"
    assert decode(seen["granted"]["access_token"])[1]["act"]["sub"] == "planner"


def test_what_is_wrong_is_told_before_anybody_is_asked(seen: Seen) -> None:
    assert seen["refused"] == {"error": "invalid_scope", "status": 400}
