"""An error is one line that a developer can act on; an answer that is none is not believed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from deputize.client import AgentClient, OAuthError, ProtocolError, Token, new_key
from deputize.core.secrets import digest
from support import agents_http
from support.serving import serving
from support.world import SECRET, World

Agents = Callable[[str], AgentClient]


@contextmanager
def saying(status: str, body: bytes, kind: str = "application/json") -> Iterator[str]:
    """Serve one answer to everything, with the server's own URL in place of `ISSUER`."""

    def make_app(url: str) -> Any:
        def app(_environ: Any, start_response: Any) -> list[bytes]:
            start_response(status, [("Content-Type", kind), ("Location", f"{url}/elsewhere")])
            return [body.replace(b"ISSUER", url.encode())]

        return app

    with serving(make_app) as url:
        yield url


def test_an_error_reads_in_one_line(hold: Token) -> None:
    with pytest.raises(OAuthError) as refused:
        hold.narrow("https://calendar.example", "flights:search")
    assert str(refused.value) == "invalid_scope (400): The scope does not belong to that target."
    assert refused.value.description == "The scope does not belong to that target."


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (("access_denied",), "access_denied"),
        (("invalid_client", "", 401), "invalid_client (401)"),
        (("server_error", "one\ntwo\x1b[31m", 500), "server_error (500): one two [31m"),
    ],
)
def test_whatever_the_server_says_it_stays_one_line(given: tuple[Any, ...], shown: str) -> None:
    assert str(OAuthError(*given)) == shown


def test_a_wrong_key_is_refused(world: World) -> None:
    impostor = AgentClient.discover(world.url, "planner", key=new_key())
    with impostor, pytest.raises(OAuthError) as refused:
        impostor.introspect("a-token")
    assert (refused.value.error, refused.value.status) == ("invalid_client", 401)


@pytest.mark.parametrize(
    "key",
    [ECKey.generate_key("P-384"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)],
    ids=["ES384", "Ed25519", "PS256"],
)
def test_any_key_that_the_server_takes_will_do(world: World, key: Any) -> None:
    client_id = f"keyed-{key.key_type}".lower()
    public = {**key.as_dict(private=False), "kid": key.thumbprint()}
    world.register(client_id, jwks=json.dumps({"keys": [public]}))
    with AgentClient.discover(world.url, client_id, key=key) as agent:
        assert agent.introspect("a-token") == {"active": False}


def test_a_secret_goes_by_basic_authentication(world: World) -> None:
    world.register(
        "secretive",
        token_endpoint_auth_method="client_secret_basic",
        secret_digest=digest(SECRET),
        jwks=None,
    )
    with AgentClient.discover(world.url, "secretive", secret=SECRET) as agent:
        assert agent.introspect("a-token") == {"active": False}


def test_an_agent_has_one_credential() -> None:
    with pytest.raises(ValueError, match="not both"):
        AgentClient.discover("https://id.example", "planner", key=new_key(), secret=SECRET)


def test_the_metadata_of_another_issuer_is_not_believed() -> None:
    metadata = b'{"issuer": "https://other.example"}'
    with saying("200 OK", metadata) as url, pytest.raises(ProtocolError, match="another issuer"):
        AgentClient.discover(url, "planner", key=new_key())


@pytest.mark.parametrize(
    ("status", "body"), [("404 Not Found", b"no"), ("200 OK", b"no"), ("200 OK", b"[]")]
)
def test_no_metadata_is_told(status: str, body: bytes) -> None:
    with saying(status, body) as url, pytest.raises(ProtocolError, match="no metadata"):
        AgentClient.discover(url, "planner", key=new_key())


def test_a_secret_is_never_sent_in_the_clear() -> None:
    metadata = b'{"issuer": "ISSUER", "introspection_endpoint": "http://id.example/introspect"}'
    with saying("200 OK", metadata) as url:
        agent = AgentClient.discover(url, "planner", secret=SECRET)
        with agent, pytest.raises(ProtocolError, match="not https"):
            agent.introspect("a-token")


@pytest.mark.parametrize("issuer", ["http://id.example", "ftp://id.example", "id.example"])
def test_the_issuer_is_https(issuer: str) -> None:
    with pytest.raises(ProtocolError, match="not https"):
        AgentClient.discover(issuer, "planner", key=new_key())


def test_a_redirect_is_not_followed() -> None:
    with saying("307 Temporary Redirect", b"") as url, pytest.raises(ProtocolError, match="307"):
        AgentClient.discover(url, "planner", key=new_key())


def test_the_key_shows_nowhere(world: World, agent: Agents) -> None:
    planner = agent("planner")
    private = world.keys["planner"].as_dict(private=True)["d"]
    assert private not in f"{planner!r} {planner._connection!r}"
    assert agents_http.thumbprint(world.keys["planner"]) == planner.key.thumbprint()  # type: ignore[union-attr]
