"""One world per module: each file is one defect that an authorization server has had."""

from collections.abc import Iterator

import pytest

from support.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running_world(f"sqlite:///{folder}/deputize.sqlite3", folder) as running:
        yield running
