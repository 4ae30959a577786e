"""One server per module and engine, with what `config/demo.toml` declares."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.running import DEMO, Inside, Operator, Served


@pytest.fixture(scope="session")
def has_tables() -> bool:
    """Each server makes the tables that it needs, as at its first start."""
    return False


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """An operator with an empty data folder."""
    return Operator(tmp_path / "data")


@pytest.fixture(scope="module")
def served(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two workers; on SQLite each database is its own file in the data folder."""
    is_sqlite = module_database_url.startswith("sqlite")
    data = tmp_path_factory.mktemp("served") / "data"
    where = (data, None if is_sqlite else module_database_url)
    operator = Inside(*where)
    operator.done("apply", str(DEMO))
    with operator.serving(workers=2) as url:
        yield Served(url, operator)
