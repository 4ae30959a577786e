"""Client authentication: one method a request, and no answer that helps to guess."""

import base64
from urllib.parse import quote_plus

import httpx
import pytest

from deputize.core.secrets import digest
from support.agents_http import JWT_BEARER, Agent, http, outcome
from support.world import SECRET, World

pytestmark = pytest.mark.section("RFC 6749", "2.3")

OWN = {"grant_type": "client_credentials"}
FAILED = (401, "invalid_client")
ENDPOINTS = ["token_endpoint", "introspection_endpoint", "revocation_endpoint"]


@pytest.fixture(scope="module")
def keeper(world: World) -> Agent:
    """An agent that authenticates with a secret."""
    for name, members in {"keeper": {}, "dead.keeper": {"status": "retired"}}.items():
        by_secret = {"token_endpoint_auth_method": "client_secret_basic", "jwks": None}
        world.register(name, secret_digest=digest(SECRET), **by_secret, **members)
    return world.with_secret("keeper")


@pytest.fixture(scope="module")
def on_device(world: World) -> Agent:
    """A public client, on a person's own device."""
    world.register("on-device", token_endpoint_auth_method="none", jwks=None)
    return Agent("on-device", world.metadata)


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def ask(world: World, headers: dict[str, str], **form: str) -> httpx.Response:
    return http.post(world.metadata["token_endpoint"], data=OWN | form, headers=headers)


class TestSecret:
    """`client_secret_basic` and `client_secret_post` (§2.3.1)."""

    def test_it_is_sent_in_the_header_or_in_the_body(self, world: World, keeper: Agent) -> None:
        assert ask(world, basic("keeper", SECRET)).status_code == 200
        in_body = {"client_id": "keeper", "client_secret": SECRET}
        assert ask(world, {}, **in_body).status_code == 200

    def test_the_scheme_has_no_case(self, world: World, keeper: Agent) -> None:
        header = basic("keeper", SECRET)["Authorization"].replace("Basic", "bAsIc")
        assert ask(world, {"Authorization": header}).status_code == 200

    @pytest.mark.parametrize(
        ("client_id", "secret"),
        [
            ("keeper", "wrong" * 10),
            ("keeper", ""),
            ("keeper", SECRET.upper()),
            ("keeper", digest(SECRET)),
            ("nobody", SECRET),
            ("nobody", ""),
            ("", SECRET),
            ("", ""),
            ("planner", SECRET),  # authenticates with a key
            ("on-device", ""),
            ("on-device", SECRET),
            ("calendar-api", "wrong" * 10),
            ("dead.keeper", SECRET),
            ("dead.keeper", "wrong" * 10),
            ("a" * 10_000, SECRET),
            ("nul\x00", SECRET),
            ("keeper", "nul\x00" * 10),
            ("ключ", SECRET),
        ],
    )
    def test_unknown_wrong_and_stopped_get_the_same_answer(
        self, world: World, keeper: Agent, on_device: Agent, client_id: str, secret: str
    ) -> None:
        reference = ask(world, basic("keeper", "another wrong secret, of some length"))
        answer = ask(world, basic(client_id, secret))
        assert outcome(answer) == FAILED
        assert answer.json() == reference.json()
        assert answer.headers["WWW-Authenticate"] == reference.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("client_id", ["keeper", "nobody", "dead.keeper", "planner"])
    def test_in_the_body_too(self, world: World, keeper: Agent, client_id: str) -> None:
        answers = [
            ask(world, {}, client_id=name, client_secret="wrong" * 10)
            for name in (client_id, "keeper")
        ]
        assert [outcome(answer) for answer in answers] == [FAILED, FAILED]
        assert answers[0].json() == answers[1].json()

    def test_a_header_that_was_tried_is_answered_with_its_scheme(self, world: World) -> None:
        answer = ask(world, basic("nobody", "x" * 30))
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")

    @pytest.mark.parametrize(
        "header",
        [
            "Basic",
            "Basic Og==",
            "Basic !!!",
            "Basic a2VlcGVy",  # no colon
            "Basic //8=",  # no UTF-8
            "Bearer abc",
            "Negotiate abc",
            "DPoP abc",
        ],
    )
    def test_a_malformed_or_other_header_authenticates_nobody(
        self, world: World, keeper: Agent, header: str
    ) -> None:
        assert outcome(ask(world, {"Authorization": header})) == FAILED


class TestOneMethod:
    """ "The client MUST NOT use more than one authentication method in each request." """

    REFUSED = (400, "invalid_request")

    def test_header_and_body(self, world: World, keeper: Agent) -> None:
        form = {"client_id": "keeper", "client_secret": SECRET}
        assert outcome(ask(world, basic("keeper", SECRET), **form)) == self.REFUSED
        assert outcome(ask(world, basic("keeper", SECRET), client_secret=SECRET)) == self.REFUSED

    def test_header_and_assertion(self, world: World, keeper: Agent) -> None:
        assertion = world.agent("planner").client_assertion()
        form = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        assert outcome(ask(world, basic("keeper", SECRET), **form)) == self.REFUSED

    def test_secret_and_assertion(self, planner: Agent) -> None:
        form = {"client_id": "planner", "client_secret": SECRET}
        assert outcome(planner.post("token_endpoint", **OWN, **form)) == self.REFUSED

    def test_a_client_id_beside_the_header_is_the_same_one(
        self, world: World, keeper: Agent
    ) -> None:
        assert ask(world, basic("keeper", SECRET), client_id="keeper").status_code == 200
        refused = ask(world, basic("keeper", SECRET), client_id="planner")
        assert outcome(refused) == self.REFUSED

    def test_a_client_id_beside_an_assertion_is_the_same_one(self, planner: Agent) -> None:
        assert planner.post("token_endpoint", **OWN, client_id="planner").status_code == 200
        refused = planner.post("token_endpoint", **OWN, client_id="booker")
        assert outcome(refused) == self.REFUSED


class TestNone:
    """Without authentication only public clients are known, and they do little."""

    @pytest.mark.parametrize("endpoint", ENDPOINTS)
    def test_nobody_at_all_is_refused(self, world: World, endpoint: str) -> None:
        answer = http.post(world.metadata[endpoint], data={**OWN, "token": "x"})
        assert outcome(answer) == FAILED

    @pytest.mark.parametrize("client_id", ["planner", "keeper", "nobody", "calendar-api"])
    @pytest.mark.parametrize("endpoint", ENDPOINTS)
    def test_a_name_alone_is_nobody(
        self, world: World, keeper: Agent, endpoint: str, client_id: str
    ) -> None:
        form = {**OWN, "token": "x", "client_id": client_id}
        assert outcome(http.post(world.metadata[endpoint], data=form)) == FAILED

    def test_a_public_client_does_not_act_for_itself(self, on_device: Agent) -> None:
        answer = on_device.post("token_endpoint", **OWN)
        assert outcome(answer) == (400, "unauthorized_client")


class TestStatus:
    """Only an active, unexpired agent gets a token."""

    @pytest.mark.parametrize("status", ["pending", "suspended", "retired"])
    def test_one_that_is_not_active_does_not_authenticate(self, world: World, status: str) -> None:
        world.register(f"is-{status}", status=status)
        agent = world.agent(f"is-{status}")
        assert outcome(agent.post("token_endpoint", **OWN)) == FAILED
        assert outcome(agent.introspect("x")) == FAILED
        assert outcome(agent.revoke("x")) == FAILED

    def test_nor_does_one_that_expired(self, world: World) -> None:
        world.register("expired", expires_at=1_700_000_001)
        assert outcome(world.agent("expired").post("token_endpoint", **OWN)) == FAILED

    def test_its_answer_is_that_of_an_unknown_one(self, world: World) -> None:
        world.register("stopped", status="suspended")
        stopped = world.agent("stopped").post("token_endpoint", **OWN)
        assert stopped.json() == ask(world, basic("nobody", "x" * 30)).json()

    def test_it_starts_again_when_it_is_resumed(self, world: World) -> None:
        world.register("resumed")
        world.stop("resumed")
        world.start("resumed")
        assert world.agent("resumed").post("token_endpoint", **OWN).status_code == 200

    def test_retired_is_final(self, world: World) -> None:
        world.register("gone")
        world.stop("gone", "retired")  # type: ignore[arg-type]
        with pytest.raises(AssertionError):
            world.start("gone")
        assert outcome(world.agent("gone").post("token_endpoint", **OWN)) == FAILED


def test_a_refusal_of_nobody_in_particular_is_not_written_one_by_one(world: World) -> None:
    before = len(world.events())
    for name in ("nobody", "keeper", "planner"):
        ask(world, basic(name, "x" * 30))
    assert len(world.events()) == before
