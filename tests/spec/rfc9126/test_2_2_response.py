"""What the client is told, and what the server keeps."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deputize.settings import Authorize, Bounds
from spec.rfc9126.conftest import ASKED, ENDPOINT, Pushing
from support.agents_http import http, outcome
from support.world import World, running_world

MAX_PUSHED = 4
BODY_BYTES = 2048
LIFETIME = 30


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    authorize = Authorize(max_pushed=MAX_PUSHED, request_uri_lifetime=LIFETIME)
    bounds = Bounds(body_bytes=BODY_BYTES)
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, authorize=authorize, bounds=bounds) as running:
        yield running


@pytest.fixture
def pushing(world: World) -> Pushing:
    name = f"pushing-{len(world.keys)}"
    world.register(name)
    return Pushing(world, world.agent(name))


@pytest.mark.section("RFC 9126", "2.2")
class TestResponse:
    def test_a_reference_and_how_long_it_is_good(self, pushing: Pushing) -> None:
        answer = pushing.push()
        assert outcome(answer) == (201, "none")
        told = answer.json()
        assert set(told) == {"request_uri", "expires_in"}
        assert told["expires_in"] == LIFETIME
        prefix, _, reference = told["request_uri"].rpartition(":")
        assert prefix == "urn:ietf:params:oauth:request_uri"
        assert len(reference) == 43  # 256 bits in base64url

    def test_each_has_one_of_its_own(self, pushing: Pushing) -> None:
        assert pushing.pushed() != pushing.pushed()

    def test_only_a_hash_of_it_is_kept(self, world: World, pushing: Pushing) -> None:
        reference = pushing.pushed().rpartition(":")[2]
        with world.context.db.read() as tx:
            kept = tx.connection.exec_driver_sql("SELECT * FROM deputize_pushed_request").all()
        assert kept
        assert reference not in repr(kept)


@pytest.mark.section("RFC 9126", "2.3")
class TestErrors:
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_another_method(self, world: World, method: str) -> None:
        answer = http.request(method, world.metadata[ENDPOINT])
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")

    def test_a_request_beyond_the_bound(self, pushing: Pushing) -> None:
        assert outcome(pushing.push(state="s" * BODY_BYTES)) == (413, "invalid_request")

    def test_one_that_does_not_say_how_long_it_is(self, world: World) -> None:
        chunks = iter([b"client_id=planner&state=", b"s" * BODY_BYTES])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = http.post(world.metadata[ENDPOINT], content=chunks, headers=form)
        assert answer.status_code == 413

    def test_more_than_may_wait(self, world: World, pushing: Pushing) -> None:
        """And what one agent pushes takes no other's place."""
        waiting = [pushing.pushed() for _ in range(MAX_PUSHED)]
        assert outcome(pushing.push()) == (429, "temporarily_unavailable")
        assert world.agent("checker").post(ENDPOINT, **ASKED).status_code == 201
        pushing.press(pushing.open(waiting[0]))
        assert pushing.push().status_code == 201

    def test_what_nobody_opened_in_time_takes_no_place(
        self, world: World, pushing: Pushing
    ) -> None:
        world.pass_time(LIFETIME + 900)
        for _ in range(MAX_PUSHED):
            pushing.pushed()
        assert outcome(pushing.push()) == (429, "temporarily_unavailable")
        world.pass_time(LIFETIME)
        assert pushing.push().status_code == 201

    def test_what_somebody_opened_keeps_its_place_until_it_cannot_be_answered(
        self, world: World, pushing: Pushing
    ) -> None:
        world.pass_time(LIFETIME + 900)
        for _ in range(MAX_PUSHED):
            pushing.open(pushing.pushed())
        world.pass_time(LIFETIME)
        assert outcome(pushing.push()) == (429, "temporarily_unavailable")
        world.pass_time(900)
        assert pushing.push().status_code == 201
