"""One wheel for all, built once; one environment for each way to install it."""

from pathlib import Path

import pytest
from tests.packaging.installed import Environment, build_wheel, install


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A freshly built wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install deputize`: for a server of one's own, an agent, an API."""
    return install(wheel, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install "deputize[server]"`: the identity provider as well."""
    return install(wheel, tmp_path_factory.mktemp("server"), ["server"])
