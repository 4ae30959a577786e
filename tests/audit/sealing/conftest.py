"""A trail on each database, begun anew for each test."""

from collections.abc import Iterator

import pytest

from audit.sealing.trails import Trail, made_in
from deputize.migrations import upgrade


@pytest.fixture(scope="module")
def made(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    trail = made_in(tmp_path_factory.mktemp("trail"), module_database_url)
    upgrade(trail.db)
    yield trail
    trail.db.close()


@pytest.fixture
def trail(made: Trail) -> Trail:
    made.empty()
    made.announced.clear()
    return made
