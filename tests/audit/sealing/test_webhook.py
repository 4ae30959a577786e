"""Checkpoints are sent off the machine, by the outbox, where a webhook is set."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from deputize.audit.checkpoint_file import as_line
from deputize.audit.keys import find_public_keys
from deputize.audit.seal import find_newest
from deputize.audit.statement import read
from deputize.configuration import Layers, load_settings
from deputize.outbox.checkpoints import EVERY, TRIED
from deputize.part import ConfigurationError
from deputize.settings import Settings
from notifiers.conftest import SECRET
from notifiers.receivers import Receiver, receiver
from support.world import World, running_world


@pytest.fixture(scope="module")
def taking() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def running(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory, taking: Receiver
) -> Iterator[World]:
    webhook = {"url": taking.url, "secret": SECRET, "private_hosts": ("127.0.0.1",)}
    settings = {"audit": {"in_workers": False, "webhook": webhook}}
    folder = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder, **settings) as world:
        yield world


@pytest.fixture
def world(running: World, taking: Receiver) -> World:
    """The server, with nothing to send, and nothing sent in the last minute."""
    taking.status = 204
    running.pass_time(2 * EVERY)
    seal(running)
    deliver(running)
    running.pass_time(2 * EVERY)
    taking.posts.clear()
    return running


class TestTheWebhook:
    def test_a_seal_sends_its_statement_signed(self, world: World, taking: Receiver) -> None:
        world.hold()
        seal(world)
        assert deliver(world) == 1
        ((headers, body),) = taking.posts
        told = json.loads(body)
        assert told["type"] == "audit.checkpoint"
        assert told["data"] == as_line_of(world)
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{mac}"

    def test_at_most_one_a_minute_leaves_and_it_is_the_newest(
        self, world: World, taking: Receiver
    ) -> None:
        for _ in range(3):
            world.hold()
            seal(world)
            deliver(world)
        assert len(taking.posts) == 1
        world.pass_time(EVERY)
        assert deliver(world) == 1
        assert taking.bodies()[-1]["data"] == as_line_of(world)

    def test_what_comes_of_sending_is_no_reason_to_send(
        self, world: World, taking: Receiver
    ) -> None:
        world.hold()
        for _ in range(4):
            seal(world)
            deliver(world)
            world.pass_time(2 * EVERY)
        assert len(taking.posts) == 1

    def test_one_that_is_away_gets_the_newest_when_it_is_back(
        self, world: World, taking: Receiver
    ) -> None:
        taking.status = 503
        world.hold()
        seal(world)
        deliver(world)
        world.hold()
        seal(world)
        taking.status = 204
        taking.posts.clear()
        world.pass_time(2 * EVERY)
        assert deliver(world) == 1
        assert taking.bodies()[0]["data"] == as_line_of(world)

    def test_after_a_day_it_is_given_up_and_the_next_seal_sends(
        self, world: World, taking: Receiver
    ) -> None:
        taking.status = 503
        world.hold()
        seal(world)
        deliver(world)
        world.pass_time(TRIED)
        deliver(world)
        taking.status = 204
        world.hold()
        seal(world)
        assert deliver(world) == 1
        assert taking.bodies()[-1]["data"] == as_line_of(world)


class TestItsSettings:
    @pytest.mark.parametrize(
        ("webhook", "key"),
        [
            ({"url": "https://log.example.com"}, "secret"),
            ({"secret": SECRET}, "url"),
            ({"url": "http://log.example.com", "secret": SECRET}, "url"),
            ({"url": "https://log.example.com", "secret": "short"}, "secret"),
        ],
    )
    def test_a_mistake_is_told_with_its_key(self, webhook: dict[str, str], key: str) -> None:
        given = {
            "issuer": "http://127.0.0.1:8000",
            "database_url": "sqlite:///x",
            "audit": {"webhook": webhook},
        }
        with pytest.raises(ConfigurationError, match=rf"\[deputize\.audit\.webhook\] {key}: "):
            load_settings(Layers(defaults=given))

    def test_nothing_is_sent_where_nothing_is_set(self) -> None:
        assert Settings(issuer="x", database_url="x").audit.webhook.url is None


def seal(world: World) -> int:
    sealed: int = world.app.extensions["deputize"].sealer.seal()
    return sealed


def deliver(world: World) -> int:
    sent: int = world.app.extensions["deputize"].deliverer().deliver_due()
    return sent


def as_line_of(world: World) -> dict[str, Any]:
    """Return the newest checkpoint as a command tells it."""
    with world.context.db.read() as tx:
        signed, keys = find_newest(tx), find_public_keys(tx)
    assert signed is not None
    return as_line(read(signed, keys)[0], signed)
