"""The same checks on each host. A module takes `site`; it runs on both hosts, and on both
databases unless it is marked for one."""

from collections.abc import Iterator

import pytest

from hosts.hostings import HOSTINGS, Hosting
from hosts.served import Site, running_site
from support.agents_http import Agent


@pytest.fixture(scope="module", params=HOSTINGS, ids=lambda hosting: hosting.name)
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
    module_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A host with agents on it."""
    folder = tmp_path_factory.mktemp("site")
    url = f"sqlite:///{folder}/host.sqlite3"
    if module_database_url.startswith("postgresql"):
        # The URL says which engine; each of a module's hosts has a database of its own.
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
