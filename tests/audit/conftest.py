"""One world a module, on each database."""

from collections.abc import Iterator

import pytest

from support.world import World, running_world


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(module_database_url, tmp_path_factory.mktemp("world")) as running:
        yield running
