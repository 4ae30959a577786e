"""An ordinary application of the host by each library: OpenID Connect, beside the agents."""

import pytest

from cli.running import Served
from clients.running import Library, Seen


@pytest.fixture(scope="module")
def seen(served: Served, library: Library, port: int) -> Seen:
    """What one program saw, from the sign-in page to the sign-out."""
    return library.run(
        "application",
        ISSUER=served.url,
        CLIENT_ID="portal",
        CLIENT_SECRET="portal-secret-0123456789",
        PORT=str(port),
    )


def test_discovery_tells_of_openid_connect(served: Served, seen: Seen) -> None:
    """OpenID Connect Discovery 1.0, section 4.3: the issuer is the one that was asked."""
    assert seen["metadata"]["issuer"] == served.url
    assert seen["metadata"]["end_session_endpoint"].startswith(served.url)


def test_the_id_token_is_for_the_application_and_about_the_person(
    served: Served, seen: Seen
) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7: the library has validated it."""
    claims = seen["claims"]
    assert (claims["iss"], claims["aud"]) == (served.url, "portal")
    assert claims["sub"].startswith("p-")
    assert claims["nonce"]
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]


def test_userinfo_is_about_the_same_person(seen: Seen) -> None:
    """OpenID Connect Core 1.0, section 5.3.2."""
    sub = seen["claims"]["sub"]
    assert seen["userinfo"] == {"sub": sub, "name": "Ana Ruiz", "preferred_username": "ana"}


def test_a_refresh_gives_other_tokens(seen: Seen) -> None:
    granted, refreshed = seen["granted"], seen["refreshed"]
    assert refreshed["access_token"] != granted["access_token"]
    assert refreshed["refresh_token"] != granted["refresh_token"]
    assert refreshed["scope"] == "openid profile"


def test_its_own_token_is_active(served: Served, seen: Seen) -> None:
    told = seen["introspected"]
    assert told["active"] is True
    assert (told["iss"], told["client_id"]) == (served.url, "portal")
    assert told["sub"] == seen["claims"]["sub"]


def test_what_was_revoked_is_refused(seen: Seen) -> None:
    assert seen["refused"] == {"error": "invalid_grant"}


def test_the_person_signs_out_and_comes_back_with_the_state(seen: Seen) -> None:
    """OpenID Connect RP-Initiated Logout 1.0, section 3."""
    assert seen["signedOut"] is True


def test_after_that_nobody_is_signed_in(seen: Seen) -> None:
    """The library takes the refusal for the server's, by `iss` (RFC 9207 §2)."""
    assert seen["silent"] == {"error": "login_required"}
