"""What a client may say of itself, and what is wrong with what it says."""

from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from support.agents_http import http, jwks, new_key, outcome, register
from support.world import World, running_world

pytestmark = pytest.mark.section("RFC 7591", "2")

KEY = new_key()
PUBLIC = jwks(KEY)["keys"][0]
CALLBACK = "https://agent.example/callback"
METADATA = (400, "invalid_client_metadata")
REDIRECT = (400, "invalid_redirect_uri")


def say(world: World, **members: Any) -> tuple[int, str]:
    usual = {"client_name": "scout", "redirect_uris": [CALLBACK], "jwks": jwks(KEY)}
    return outcome(register(world.metadata, **usual | members))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"client_type": "agent"},
        {"redirect_uris": ["http://127.0.0.1/cb", "http://[::1]:7/cb", "http://localhost/cb"]},
        {"redirect_uris": None, "grant_types": ["client_credentials"]},
        {"jwks": None, "token_endpoint_auth_method": "client_secret_basic"},
        {"jwks": None, "token_endpoint_auth_method": "client_secret_post"},
        {"jwks": None, "token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"jwks": {"keys": [RSAKey.generate_key(2048).as_dict(private=False)]}},
        {"jwks": {"keys": [ECKey.generate_key("P-384").as_dict(private=False)]}},
        {"jwks": {"keys": [OKPKey.generate_key("Ed25519").as_dict(private=False)]}},
        {"jwks": {"keys": [jwks(new_key())["keys"][0] for _ in range(10)]}},
        {"contacts": ["x"], "unknown": {"a": 1}},  # not understood: ignored (§2)
        {"agent_model": "m", "agent_vendor": "v", "software_version": "1", "client_name": "é"},
        {"backchannel_token_delivery_mode": "poll"},
        {
            "backchannel_token_delivery_mode": "ping",
            "backchannel_client_notification_endpoint": "https://agent.example/told?a=b",
        },
    ],
    ids=range(16),
)
def test_what_is_accepted(world: World, members: dict[str, Any]) -> None:
    assert say(world, **members) == (201, "none")


@pytest.mark.parametrize(
    "members",
    [
        {"client_name": 7},
        {"client_name": ["scout"]},
        {"client_name": "a" * 201},
        {"client_name": "nul\x00"},
        {"client_name": "\ud800"},
        {"agent_purpose": {"a": 1}},
        {"agent_purpose": "\ud800"},
        {"agent_model": "nul\x00"},
        {"software_version": 1.0},
        {"scope": ["calendar:read"]},
        {"scope": " ".join(f"s{n}" for n in range(101))},
        {"scope": "nul\x00"},
        {"scope": "\ud800"},
        {"resources": "https://calendar.example"},
        {"resources": ["calendar"]},
        {"resources": ["https://calendar.example#x"]},
        {"resources": [7]},
        {"resources": [f"https://{n}.example" for n in range(21)]},
        {"delegates_to": "booker"},
        {"delegates_to": [7]},
        {"delegates_to": ["a b"]},
        {"delegates_to": ["nul\x00"]},
        {"delegates_to": ["é"]},
        {"grant_types": "authorization_code"},
        {"grant_types": ["password"]},
        {"grant_types": ["implicit"]},
        {"grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"]},
        {"grant_types": [7]},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": 7},
        {"token_endpoint_auth_method": ["none"]},
        {"token_endpoint_auth_method": {}},
        {"token_endpoint_auth_method": "none"},  # with a key
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"jwks": None},  # private_key_jwt is the default, and has no key
        {"agent_expires_at": "tomorrow"},
        {"agent_expires_at": -1},
        {"agent_expires_at": True},
        {"agent_expires_at": 1.5},
        {"agent_expires_at": 10**30},
    ],
    ids=lambda members: ascii(members)[:50],
)
def test_what_is_refused(world: World, members: dict[str, Any]) -> None:
    assert say(world, **members) == METADATA


@pytest.mark.parametrize(
    "keys",
    [
        "x",
        7,
        [],
        {},
        {"keys": None},
        {"keys": []},
        {"keys": {}},
        {"keys": "x"},
        {"keys": [7]},
        {"keys": [{}]},
        {"keys": [{"kty": "EC"}]},
        {"keys": [{"kty": "nonsense"}]},
        {"keys": [{"kty": 7}]},
        {"keys": [{"kty": []}]},
        {"keys": [PUBLIC | {"x": "AAAA"}]},
        {"keys": [PUBLIC | {"x": 7}]},
        {"keys": [PUBLIC | {"crv": "P-999"}]},
        {"keys": [PUBLIC | {"kid": "\ud800"}]},
        {"keys": [KEY.as_dict(private=True)]},
        {"keys": [PUBLIC | {"d": ""}]},
        {"keys": [PUBLIC, KEY.as_dict(private=True)]},
        {"keys": [OctKey.generate_key(256).as_dict(private=True)]},
        {"keys": [{"kty": "oct"}]},
        {"keys": [{"kty": "RSA", "e": "AQAB", "n": "w" * 171}]},  # of 1024 bits
        {"keys": [RSAKey.generate_key(2048).as_dict(private=True)]},
        {"keys": [OKPKey.generate_key("X25519").as_dict(private=False)]},
        {"keys": [OKPKey.generate_key("Ed25519").as_dict(private=True)]},
        {"keys": [ECKey.generate_key("P-521").as_dict(private=False)]},
        {"keys": [PUBLIC] * 11},
    ],
    ids=range(29),
)
@pytest.mark.filterwarnings("ignore:Key size should be")
def test_keys_that_are_refused(world: World, keys: Any) -> None:
    """No private or symmetric members, no RSA under 2048 bits, at most ten."""
    assert outcome(register(world.metadata, redirect_uris=[CALLBACK], jwks=keys)) == METADATA


def test_keys_are_given_by_value(world: World) -> None:
    uri = "https://agent.example/jwks"
    assert say(world, jwks=None, jwks_uri=uri) == METADATA
    assert say(world, jwks_uri=uri) == METADATA


@pytest.mark.parametrize(
    "uris",
    [
        "https://agent.example/callback",
        [7],
        [""],
        ["callback"],
        ["/callback"],
        ["http://agent.example/callback"],
        ["http://127.0.0.1.evil.example/callback"],
        ["http://localhost.evil.example/callback"],
        ["https://agent.example/callback#fragment"],
        ["https://agent.example/callback#"],
        ["https://user@agent.example/callback"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["file:///etc/passwd"],
        ["myapp://callback"],
        ["https://"],
        ["https:///callback"],
        ["https://agent.example/call back"],
        ["https://agent.example\\@evil.example/"],
        ["https://agent.example/\x00"],
        ["https://agent.example/\nSet-Cookie:x"],
        ["https://ägent.example/callback"],
        ["https://agent.example/" + "a" * 3000],
        [f"https://agent.example/{n}" for n in range(11)],
        [],  # authorization_code has no way back
        None,
    ],
    ids=lambda uris: ascii(uris)[:50],
)
def test_redirect_uris_that_are_refused(world: World, uris: Any) -> None:
    assert say(world, redirect_uris=uris) == REDIRECT


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"null"),
        ("application/json", b"[]"),
        ("application/json", b'"text"'),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 20_000),
        ("application/json", b'{"client_name": NaN}'),
        ("application/json", b'{"agent_expires_at": ' + b"1" * 5_000 + b"}"),
        ("application/json", b'{"client_name": "' + b"a" * 70_000 + b'"}'),
        ("application/x-www-form-urlencoded", b"client_name=scout"),
        ("text/plain", b'{"client_name": "scout"}'),
    ],
    ids=range(12),
)
def test_a_body_that_is_no_json_object_is_refused(
    world: World, content_type: str, body: bytes
) -> None:
    headers = {"Content-Type": content_type}
    answer = http.post(world.metadata["registration_endpoint"], content=body, headers=headers)
    assert outcome(answer) == METADATA


NOWHERE = [
    "http://agent.example/",
    "http://127.0.0.1/",
    "https://a@agent.example/",
    "/told",
    7,
    None,
]


@pytest.mark.parametrize(
    "members",
    [
        {"backchannel_token_delivery_mode": "pull"},
        {"backchannel_token_delivery_mode": ["ping"]},
        {"backchannel_token_delivery_mode": "ping"},
        {"backchannel_client_notification_endpoint": "https://agent.example/told"},
        *(
            {
                "backchannel_token_delivery_mode": "push",
                "backchannel_client_notification_endpoint": uri,
            }
            for uri in [*NOWHERE, "https://agent.example/#x", "https://agent.example/\n"]
        ),
    ],
)
def test_a_client_is_told_by_https_alone(world: World, members: dict[str, Any]) -> None:
    """CIBA Core §4."""
    assert say(world, **members) == METADATA


def test_what_is_open_to_declared_agents_is_closed_to_it(tmp_path: Path) -> None:
    """An administrator opened a private host for agents that an administrator declared."""
    private = {"private_hosts": ["intern.example"]}
    url = f"sqlite:///{tmp_path}/deputize.sqlite3"
    with running_world(url, tmp_path, agents=private) as world:
        endpoint = {"backchannel_client_notification_endpoint": "https://INTERN.example/told"}
        assert say(world, backchannel_token_delivery_mode="push", **endpoint) == METADATA
