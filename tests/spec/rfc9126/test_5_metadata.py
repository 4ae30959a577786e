"""What the server says of it, and what is required of whom."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deputize.agents.models import find_agent
from deputize.host import Paths
from deputize.settings import Authorize
from spec.rfc9126.conftest import ENDPOINT, Pushing
from support.agents_http import Agent, http, jwks, new_key, outcome, pkce, register
from support.world import CALLBACK, World, authorize_url, running_world

REQUIRED = "require_pushed_authorization_requests"


def is_refused(answer: httpx.Response) -> bool:
    """Tell whether the client was told that it has to push."""
    told = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
    return told.get("error") == ["invalid_request"] and "9126" in told["error_description"][0]


def ask_in_full(world: World, client_id: str, **params: str) -> httpx.Response:
    return world.browser().get(authorize_url(world.metadata, client_id, pkce()[1], **params))


@pytest.fixture(scope="module")
def strict_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server to which every agent pushes."""
    folder: Path = tmp_path_factory.mktemp("strict")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, authorize=Authorize(require_par=True)) as running:
        yield running


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A host that lets its own applications ask, and takes no pushed requests."""
    folder: Path = tmp_path_factory.mktemp("beside")
    paths = Paths(authorize="/host/authorize", token="/host/token")
    with running_world(f"sqlite:///{folder}/d.sqlite3", folder, paths) as running:
        yield running


@pytest.fixture(scope="module")
def strict(world: World) -> Pushing:
    """An agent that is registered to push."""
    world.register("strict", require_pushed_authorization_requests=True)
    return Pushing(world, world.agent("strict"))


@pytest.mark.section("RFC 9126", "5")
class TestServerMetadata:
    def test_it_says_where_and_that_it_may_be_left(self, world: World) -> None:
        assert world.metadata[ENDPOINT] == f"{world.url}/oauth/par"
        assert world.metadata[REQUIRED] is False
        openid = http.get(f"{world.url}/.well-known/openid-configuration").json()
        assert openid[ENDPOINT] == world.metadata[ENDPOINT]

    def test_or_that_it_is_required_and_then_it_is(self, strict_world: World) -> None:
        assert strict_world.metadata[REQUIRED] is True
        assert is_refused(ask_in_full(strict_world, "planner"))
        pushing = Pushing(strict_world, strict_world.agent("planner"))
        assert pushing.open(pushing.pushed()).status_code == 200

    def test_beside_a_host_its_applications_are_not_told_to_push_here(self, beside: World) -> None:
        """OpenID Connect applications push wherever they read that they may."""
        openid = http.get(f"{beside.url}/.well-known/openid-configuration").json()
        assert not {ENDPOINT, REQUIRED} & openid.keys()
        assert beside.metadata[ENDPOINT] == f"{beside.url}/oauth/par"
        pushing = Pushing(beside, beside.agent("planner"))
        assert pushing.open(pushing.pushed()).status_code == 200

    def test_and_a_host_with_an_endpoint_of_its_own_keeps_it(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder: Path = tmp_path_factory.mktemp("own")
        paths = Paths(authorize="/host/authorize", pushed_authorization_request="/host/par")
        with running_world(f"sqlite:///{folder}/d.sqlite3", folder, paths) as world:
            assert world.metadata[ENDPOINT] == f"{world.url}/host/par"
            theirs = http.post(world.metadata[ENDPOINT], data={"client_id": "webapp"})
            assert theirs.json() == {"by": "the host"}
            pushing = Pushing(world, world.agent("planner"))
            assert pushing.open(pushing.pushed()).status_code == 200


@pytest.mark.section("RFC 9126", "6")
class TestClientMetadata:
    """An agent that is registered so is refused whatever it did not push."""

    def test_it_is_told_so(self, world: World, strict: Pushing) -> None:
        assert is_refused(ask_in_full(world, "strict"))
        assert not is_refused(ask_in_full(world, "planner"))

    def test_at_its_own_redirect_uri_and_no_other(self, world: World, strict: Pushing) -> None:
        evil = ask_in_full(world, "strict", redirect_uri="https://evil.example/")
        assert evil.status_code == 400
        assert "Location" not in evil.headers

    def test_what_it_pushed_is_good(self, strict: Pushing) -> None:
        assert strict.press(strict.open(strict.pushed())).status_code == 303

    def test_an_agent_says_it_of_itself(self, world: World) -> None:
        told = register(
            world.metadata, jwks=jwks(new_key()), redirect_uris=[CALLBACK], **{REQUIRED: True}
        ).json()
        assert told[REQUIRED] is True
        with world.context.db.read() as tx:
            known = find_agent(tx, told["client_id"])
        assert known is not None
        assert known.require_pushed_authorization_requests is True

    @pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
    def test_it_is_true_or_false(self, world: World, value: object) -> None:
        answer = register(
            world.metadata, jwks=jwks(new_key()), redirect_uris=[CALLBACK], **{REQUIRED: value}
        )
        assert outcome(answer) == (400, "invalid_client_metadata")

    def test_to_give_it_up_it_has_to_be_looked_at_again(self, world: World) -> None:
        """RFC 7592 §2.2: less strict is wider."""
        key, said = new_key(), {"redirect_uris": [CALLBACK], "scope": "calendar:read"}
        told = register(world.metadata, **said, jwks=jwks(key), **{REQUIRED: True}).json()
        world.edit(told["client_id"], owner="ben")
        world.start(told["client_id"])
        agent = Agent(told["client_id"], world.metadata, key=key)
        bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}

        def update(**more: object) -> str:
            body = said | {"client_id": agent.client_id, "jwks": jwks(key)} | more
            answer = http.put(told["registration_client_uri"], json=body, headers=bearer)
            return str(answer.json()["agent_status"])

        assert update(**{REQUIRED: True}) == "active"
        assert update() == "pending"

    def test_to_take_it_on_it_has_not(self, world: World) -> None:
        key, said = new_key(), {"redirect_uris": [CALLBACK], "scope": "calendar:read"}
        told = register(world.metadata, **said, jwks=jwks(key)).json()
        world.edit(told["client_id"], owner="ben")
        world.start(told["client_id"])
        body = said | {"client_id": told["client_id"], "jwks": jwks(key), REQUIRED: True}
        bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}
        answer = http.put(told["registration_client_uri"], json=body, headers=bearer)
        assert answer.json()["agent_status"] == "active"
        assert is_refused(ask_in_full(world, told["client_id"], scope="calendar:read"))
