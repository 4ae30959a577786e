"""The plugin alone on a bare host, and our host with it, on each database."""

from collections.abc import Iterator

import httpx
import pytest

from fuzz.answers import Target
from hosts.hostings import DeputizeIdp
from hosts.served import running_site
from support.world import running_world


@pytest.fixture(scope="module", params=["the plugin alone", "our host"])
def target(
    request: pytest.FixtureRequest,
    engine: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("target")
    url = f"sqlite:///{folder}/target.sqlite3"
    if engine == "postgresql":
        url = request.getfixturevalue("postgresql").create_database()
    alone = request.param == "the plugin alone"
    running = (
        running_world(url, folder)
        if alone
        else running_site(DeputizeIdp(), url, folder, beside=False)
    )
    with running as world, httpx.Client(base_url=world.url, timeout=30) as client:
        yield Target(world, client, alone)
