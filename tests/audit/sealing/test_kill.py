"""V20: a process that is killed while it seals leaves a trail that is whole, and goes on."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.sealing.trails import Trail
from deputize.core.clock import SystemClock

ROUNDS = 5


@contextmanager
def worker(trail: Trail) -> Iterator[subprocess.Popen[str]]:
    url = trail.db.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "audit.sealing.sealing_worker", url, str(trail.file.path)]
    tests = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=tests, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def trail(trail: Trail) -> Iterator[Trail]:
    was = trail.db.clock
    trail.db.clock = SystemClock()
    trail.empty()
    yield trail
    trail.db.clock = was


def test_what_killed_sealers_leave_is_whole_and_goes_on(trail: Trail) -> None:
    chance, sealed = random.Random(6962), 0
    for _ in range(ROUNDS):
        with worker(trail) as first, worker(trail) as second:
            begun = [process.stdout.readline() for process in (first, second) if process.stdout]
            assert begun == ["begun\n", "begun\n"]
            time.sleep(chance.uniform(0.01, 0.25))
            first.kill()
            second.kill()
        verdict = trail.verify_here()
        assert verdict.is_intact, verdict.findings
        assert verdict.events >= sealed
        sealed = verdict.events
    assert trail.sealer.seal() == verdict.waiting
    after = trail.verify_here()
    assert (after.is_intact, after.waiting) == (True, 0)
    assert after.events == sealed + verdict.waiting
