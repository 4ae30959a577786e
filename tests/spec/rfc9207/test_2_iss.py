"""`iss` in every authorization response, so that no answer is taken for another server's."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.agents_http import pkce
from support.world import World, authorize_url, read_form

pytestmark = pytest.mark.section("RFC 9207", "2")


def url(world: World, **params: str | None) -> str:
    return authorize_url(world.metadata, "planner", pkce()[1], **params)


def press(world: World, decision: str) -> httpx.Response:
    browser = world.browser()
    form = read_form(browser.get(url(world)).text)
    form["decision"] = [decision]
    return browser.post(form.pop("action")[0], data=form)


def malformed(world: World) -> httpx.Response:
    return world.browser().get(url(world, response_type="token"))


def without_a_page(world: World) -> httpx.Response:
    return world.browser().get(url(world, prompt="none"))


def signed_out(world: World) -> httpx.Response:
    return world.browser(None).get(url(world, prompt="none"))


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda world: press(world, "allow"), None),
        (lambda world: press(world, "deny"), "access_denied"),
        (malformed, "unsupported_response_type"),
        (without_a_page, "consent_required"),
        (signed_out, "login_required"),
    ],
)
def test_whatever_the_answer_it_says_who_gave_it(
    world: World, ask: Callable[[World], httpx.Response], error: str | None
) -> None:
    told = parse_qs(urlsplit(ask(world).headers["Location"]).query)
    assert told["iss"] == [world.metadata["issuer"]]
    assert told.get("error", [None]) == [error]
    assert ("code" in told) == (error is None)


def test_the_metadata_says_so(world: World) -> None:
    assert world.metadata["authorization_response_iss_parameter_supported"] is True
