"""A client registers itself by each library, and manages its registration."""

import pytest

from cli.running import Served
from clients.running import Library, Seen

SAID = {
    "client_name": "Scout",
    "agent_purpose": "Looks around",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "private_key_jwt",
    "scope": "calendar:read",
}


@pytest.fixture(scope="module")
def seen(served: Served, library: Library) -> Seen:
    """What one program saw, from the registration to its end."""
    return library.run("registration", ISSUER=served.url)


class TestRegistration:
    """RFC 7591 §3."""

    def test_the_answer_is_what_the_library_takes(self, seen: Seen) -> None:
        told = seen["registered"]
        assert {name: told[name] for name in SAID} == SAID
        assert told["client_id"]
        assert told["jwks"]["keys"][0]["x"] == seen["jwk"]["x"]

    def test_it_is_an_agent_that_waits(self, seen: Seen) -> None:
        assert seen["registered"]["client_type"] == "agent"
        assert seen["registered"]["agent_status"] == "pending"

    def test_it_has_no_token_before_it_is_adopted(self, seen: Seen) -> None:
        """A library of Node's shows the challenge, Authlib the body."""
        refused = seen["refused"]
        assert refused.get("challenge", refused)["error"] == "invalid_client"


class TestManagement:
    """RFC 7592 §2."""

    def test_it_reads_what_it_registered(self, seen: Seen) -> None:
        assert seen["read"] == seen["registered"]

    def test_it_changes_its_name(self, seen: Seen) -> None:
        assert seen["updated"] == seen["registered"] | {"client_name": "Scout the second"}

    def test_it_ends_itself_for_good(self, seen: Seen) -> None:
        assert (seen["deleted"], seen["afterwards"]) == (204, 401)
