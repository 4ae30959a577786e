"""A server that tells people by e-mail and the organisation by a webhook; both are real."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from deputize.approvals.choices import choice
from deputize.audit.models import event
from deputize.host import Person
from deputize.outbox.models import outbox
from notifiers.receivers import Mailbox, Receiver, mail_server, receiver
from support.asking import Asking
from support.world import World, running_world

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def mail() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def told_by(mail: Mailbox, hook: Receiver, **members: Any) -> dict[str, Any]:
    """Return the section `notify` with both on."""
    return {
        "channels": ("email", "webhook"),
        "email": {
            "host": "127.0.0.1",
            "port": mail.port,
            "security": "none",
            "sender": "id@example.com",
        },
        "webhook": {"url": hook.url, "secret": SECRET, "private_hosts": ("127.0.0.1",)},
        **members,
    }


@pytest.fixture(scope="module")
def running(
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    mail: Mailbox,
    hook: Receiver,
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    # What was denied may be asked again at once.
    settings = {"notify": told_by(mail, hook), "approvals": {"cool_down": 0}}
    with running_world(module_database_url, folder, **settings) as world:
        yield world


@pytest.fixture
def world(running: World, mail: Mailbox, hook: Receiver) -> World:
    """The server, with nothing told and nothing chosen yet."""
    with running.context.db.write() as tx:
        for table in (outbox, choice, event):
            tx.execute(delete(table))
    mail.mails.clear()
    hook.posts.clear()
    mail.answers, hook.status = None, 204
    running.host.inactive.clear()
    return running


@pytest.fixture
def asking(world: World) -> Asking:
    """Planner, with a hold of somebody's who has an e-mail address and was never asked."""
    person = f"person-{len(world.host.people)}"
    world.host.people[person] = Person(person, f"Person {len(world.host.people)}")
    world.host.addresses[person, "email"] = f"{person}@example.com"
    return Asking(world, world.agent("planner"), world.hold("planner", person), person)


def deliver(world: World) -> int:
    """Send what is due; return how many attempts there were."""
    sent: int = world.app.extensions["deputize"].deliverer().deliver_due()
    return sent


def outcomes(world: World) -> dict[str, str]:
    """Return what came of the last line to each destination."""
    told = world.events("outbox.delivered") + world.events("outbox.given_up")
    return {e["facts"]["destination"]: e["facts"]["outcome"] for e in told}
