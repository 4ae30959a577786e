"""A pushed request carries `authorization_details` (RFC 9396), judged as where a browser brings
them."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deputize.endings.edit_catalogue import declare_details_type, retire_details_type
from spec.rfc9126.conftest import Pushing
from support.agents_http import decode, outcome, pkce
from support.details import FOLDERS, declare, folders, payment, spelled
from support.world import World, authorize_url

pytestmark = pytest.mark.section("RFC 9126", "2.1")

SCOPE = "calendar:read files:read"


@pytest.fixture(scope="module")
def world(world: World) -> World:
    declare(world)
    return world


def sent_back(answer: httpx.Response) -> dict[str, list[str]]:
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def details_of(granted: dict[str, Any]) -> Any:
    """Return what the token response says, which is what its token says."""
    claims = decode(granted["access_token"])[1]
    assert claims.get("authorization_details") == granted.get("authorization_details")
    return granted.get("authorization_details")


def test_what_was_pushed_is_told_in_words_and_held(pushing: Pushing) -> None:
    details = [folders("trips", "work")]
    uri = pushing.pushed(scope=SCOPE, authorization_details=json.dumps(details))
    page = pushing.open(uri)
    assert "Read <bdi>trips, work</bdi>" in page.text
    (code,) = sent_back(pushing.press(page))["code"]
    assert details_of(pushing.redeem(code).json()) == details


def test_the_browser_adds_none(pushing: Pushing) -> None:
    """RFC 9101 §5: neither others in their place nor any where there were none."""
    beside = {"authorization_details": spelled(folders("everything"))}
    uri = pushing.pushed(scope=SCOPE, authorization_details=spelled(folders("trips")))
    (code,) = sent_back(pushing.press(pushing.open(uri, **beside)))["code"]
    assert details_of(pushing.redeem(code).json()) == [folders("trips")]
    (code,) = sent_back(pushing.press(pushing.open(pushing.pushed(scope=SCOPE), **beside)))["code"]
    granted = pushing.redeem(code).json()
    assert (granted["scope"], details_of(granted)) == ("calendar:read", None)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{}", "invalid_authorization_details"),
        ("[]", "invalid_authorization_details"),
        ("folders", "invalid_authorization_details"),
        ("[" * 5000, "invalid_authorization_details"),
        ('[{"type": 1}]', "invalid_authorization_details"),
        ('[{"type": "unknown"}]', "invalid_authorization_details"),
        ('[{"type": "folders"}]', "invalid_authorization_details"),
        ('[{"type": "folders", "folders": [NaN]}]', "invalid_authorization_details"),
        ('[{"type": "folders", "folders": ["\\ud800"]}]', "invalid_authorization_details"),
        (spelled(folders("a\x00")), "invalid_authorization_details"),
        (spelled(*[folders(str(n)) for n in range(21)]), "invalid_authorization_details"),
        # Of a scope that is not asked for.
        (spelled(payment()), "invalid_authorization_details"),
        ([spelled(folders("a")), spelled(folders("b"))], "invalid_request"),
    ],
    ids=lambda of: str(of)[:50],
)
def test_what_is_none_is_refused_here_as_there(
    world: World, pushing: Pushing, text: str | list[str], error: str
) -> None:
    asked = {"scope": SCOPE, "authorization_details": text}
    url = authorize_url(world.metadata, "planner", pkce()[1], **asked)
    assert sent_back(pushing.browser().get(url))["error"] == [error]
    assert outcome(pushing.push(**asked)) == (400, error)


def test_a_type_that_went_meanwhile_is_not_granted(world: World, pushing: Pushing) -> None:
    """What was pushed is read anew by whatever the catalogue says when the page is opened."""
    uri = pushing.pushed(scope=SCOPE, authorization_details=spelled(folders("trips")))
    page = pushing.open(uri)
    retire_details_type(world.context.db, "folders")
    told = [sent_back(pushing.press(page)), sent_back(pushing.open(uri))]
    declare_details_type(world.context.db, FOLDERS)
    assert [answer["error"] for answer in told] == [["invalid_authorization_details"]] * 2
    assert pushing.open(uri).status_code == 200
