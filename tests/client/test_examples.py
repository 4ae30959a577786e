"""The examples do what their README says: an agent as a process, a person, an API over HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.api import flask_api

from client.asking import answer
from deputize.core.secrets import digest
from support.serving import serving
from support.world import SECRET, World

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def calendar_url(world: World) -> Iterator[str]:
    for client_id in ("planner", "booker"):
        by_secret = {"token_endpoint_auth_method": "client_secret_basic", "jwks": None}
        world.edit(client_id, secret_digest=digest(SECRET), **by_secret)
    with serving(lambda _: flask_api.create_app(world.url, client_secret=SECRET)) as url:
        yield url


@pytest.mark.parametrize("module", ["examples.agent.trip", "examples.agent.async_trip"])
def test_a_trip_is_played_to_its_end(world: World, calendar_url: str, module: str) -> None:
    seen = sorted(play(world, module, calendar_url))
    assert [line.split(" acts")[0] for line in seen[:2]] == ["booker: booker", "planner: planner"]
    assert seen[0] == "booker: booker acts for ana through planner, free on 2026-12-03, 2026-12-06"
    assert seen[1] == "planner: planner acts for ana, free on 2026-12-03, 2026-12-06"
    assert seen[2].startswith("the helper: planner.")
    assert "acts for ana through planner" in seen[2]
    (ended,) = world.events("delegation.ended")[-1:]
    assert ended["agent"] == "planner"


def play(world: World, module: str, calendar_url: str) -> list[str]:
    """Run the example while Ana plays her part; return what it says."""
    secrets = {"PLANNER_SECRET": SECRET, "BOOKER_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, "-m", module, world.url, calendar_url],
        cwd=ROOT,
        env=os.environ | secrets,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as agent:
        assert agent.stdout
        asked = agent.stdout.readline().removeprefix("Please open ").strip()
        said, failed = agent.communicate(f"{answer(world, asked)}\n", timeout=60)
    assert agent.returncode == 0, failed
    return said.removeprefix("The address that the browser came back to: ").splitlines()
