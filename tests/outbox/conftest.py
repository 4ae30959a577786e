"""A server with an outbox, on each database; nothing sends but what a test starts."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from deputize.audit.models import event
from deputize.outbox.models import outbox
from support.world import World, running_world


@pytest.fixture(scope="module")
def running(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(module_database_url, tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def world(running: World) -> World:
    """The server, with nothing to send and nothing told yet."""
    with running.context.db.write() as tx:
        for table in (outbox, event):
            tx.execute(delete(table))
    return running
