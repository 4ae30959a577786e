"""Redirect URIs on loopback: any port, and nothing else may differ."""

import pytest

from support.agents_http import pkce
from support.world import World, authorize_url

pytestmark = pytest.mark.section("RFC 8252", "7.3")

CHALLENGE = pkce()[1]
REGISTERED = (
    "http://127.0.0.1/callback",
    "http://[::1]:8000/callback",
    "http://localhost:3000/callback?tenant=7",
    "https://planner.example/callback",
    "https://127.0.0.1/secure",
)


@pytest.fixture(scope="module")
def world(world: World) -> World:
    world.register("app", redirect_uris=REGISTERED)
    return world


def status(world: World, redirect_uri: str) -> int:
    url = authorize_url(world.metadata, "app", CHALLENGE, redirect_uri=redirect_uri)
    return world.browser().get(url).status_code


@pytest.mark.parametrize(
    "redirect_uri",
    [
        *REGISTERED,
        "http://127.0.0.1:49152/callback",
        "http://127.0.0.1:80/callback",
        "http://[::1]/callback",
        "http://[::1]:49152/callback",
        "http://localhost/callback?tenant=7",
        "http://localhost:49152/callback?tenant=7",
    ],
)
def test_the_port_of_a_loopback_address_may_differ(world: World, redirect_uri: str) -> None:
    assert status(world, redirect_uri) == 200


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:49152/other",
        "http://127.0.0.2:49152/callback",
        "http://127.1:49152/callback",
        "http://2130706433:49152/callback",
        "http://0.0.0.0:49152/callback",
        "http://localhost:49152/callback",
        "http://localhost:49152/callback?tenant=8",
        "http://[::1]:49152/callback#x",
        "http://[0:0:0:0:0:0:0:1]:49152/callback",
        "http://127.0.0.1:port/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:-1/callback",
        "http://127.0.0.1:0080/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:49152@evil.example/callback",
        "http://evil.example@127.0.0.1:49152/callback",
        "http://127.0.0.1.evil.example:49152/callback",
        "http://127.0.0.1:49152\\@evil.example/callback",
        "http://127.0.0.1:49152/callback/../callback",
        "https://127.0.0.1:49152/callback",
        "https://127.0.0.1:49152/secure",
        "https://planner.example:8443/callback",
        "https://planner.example.evil.example/callback",
        "http://planner.example/callback",
    ],
)
def test_nothing_else_may(world: World, redirect_uri: str) -> None:
    assert status(world, redirect_uri) == 400
