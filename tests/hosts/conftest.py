"""The same checks on each host. A module takes `site`; it runs on every host that has what it
needs, and on both databases unless it is marked for one.

`needs("clients")` says what a check is about; a host's `lacks` says, in that one place, that
it has none and why.
"""

from collections.abc import Iterator

import pytest

from hosts.hosting import Hosting
from hosts.hostings import HOSTINGS
from hosts.served import Site, running_site
from support.agents_http import Agent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*what): hosts that lack none of it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "hosting" in metafunc.fixturenames:
        marks = metafunc.definition.iter_markers("needs")
        needed = {what for mark in marks for what in mark.args}
        fit = [hosting for hosting in HOSTINGS if needed.isdisjoint(hosting.lacks)]
        names = [hosting.name for hosting in fit]
        metafunc.parametrize("hosting", fit, ids=names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def hosting(request: pytest.FixtureRequest) -> Hosting:
    found: Hosting = request.param
    return found


@pytest.fixture(scope="module")
def beside() -> bool:
    """Whether a module needs the host without agents as well; those that compare say so."""
    return False


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest,
    hosting: Hosting,
    beside: bool,
    engine: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A host with agents on it."""
    folder = tmp_path_factory.mktemp("site")
    url = f"sqlite:///{folder}/host.sqlite3"
    if engine == "postgresql":
        url = request.getfixturevalue("postgresql").create_database()
    with running_site(hosting, url, folder, beside=beside) as running:
        yield running


@pytest.fixture(scope="module")
def planner(site: Site) -> Agent:
    """The agent that people deputize."""
    return site.agent("planner")


@pytest.fixture(scope="module")
def hold(site: Site) -> str:
    """Planner's hold on all that ana let it do, good for the five minutes of a module."""
    return site.hold()
