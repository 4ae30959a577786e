"""Agents that are told of the answer, and where they are told."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete

from deputize.host import Person
from deputize.outbox.models import outbox
from support.asking import Asking
from support.told import Told, told
from support.world import World, running_world

#: What a client knows a notification by.
TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"

Tell = Callable[..., Asking]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Told]:
    with told() as running:
        yield running


@pytest.fixture(scope="module")
def telling_world(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world on each engine, that may reach a client on this machine."""
    more = {"agents": {"private_hosts": ["127.0.0.1"]}, "key_secret": "a secret of 32 characters!!"}
    folder = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder, **more) as running:
        yield running


@pytest.fixture
def registered(world: World, endpoint: Told) -> Tell:
    """Return what registers an agent that is told in one way, with a hold of somebody's."""
    with world.context.db.write() as tx:
        tx.execute(delete(outbox))
    endpoint.arrived.clear()
    endpoint.tokens.clear()
    endpoint.has_arrived.clear()
    endpoint.status = 204

    def register(mode: str, at: str | None = None, **members: object) -> Asking:
        number = len(world.host.people)
        person, client_id = f"person-{number}", f"{mode}-{number}"
        world.host.people[person] = Person(person, person.title())
        world.register(
            client_id,
            backchannel_token_delivery_mode=mode,
            backchannel_client_notification_endpoint=at or endpoint.endpoint,
            **members,
        )
        hold = world.hold(client_id, person)
        usual = {"client_notification_token": TOKEN}
        return Asking(world, world.agent(client_id), hold, person, usual)

    return register
