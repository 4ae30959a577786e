"""A house on a fresh database; `sqlite_house` where the storage is not the question."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from declaration.house import House


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house", database_url)
    yield house
    house.context.db.close()


@pytest.fixture(scope="module")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    house = House(folder, f"sqlite:///{folder}/deputize.sqlite3")
    yield house
    house.context.db.close()
