"""One world a module, on each database, which has been used by many for a day."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.bulk import analyse
from benchmarks.forest import grow

from deputize.core.clock import SystemClock
from storage.pushes import push_all_day
from storage.questions import ask_all_day
from support.world import World, running_world

#: Enough that PostgreSQL would rather use an index than read a table.
TREES = 6000


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder) as running:
        # As in production: on PostgreSQL the time is the database's, and has to be asked for.
        running.context.db.clock = SystemClock()
        grow(running.context.db, TREES, int(time.time()))
        ask_all_day(running.context.db, int(time.time()))
        push_all_day(running.context.db, int(time.time()))
        running.app.extensions["deputize"].sealer.seal()
        analyse(running.context.db)
        yield running
