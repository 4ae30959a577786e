"""A host without agents in a process of its own: `python -m hosts.apart NAME FOLDER`.

For a host that has its process to itself, and so cannot be served beside the one with agents.
Prints its base URL once it answers; ends when its standard input closes.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from hosts.hosting import Hosting
from hosts.hostings import named
from support.serving import serving

TESTS = Path(__file__).parents[1]


@contextmanager
def serving_apart(hosting: Hosting, folder: Path) -> Iterator[str]:
    """Yield the base URL of that host, made and populated in another process."""
    with subprocess.Popen(
        [sys.executable, "-m", "hosts.apart", hosting.name, str(folder)],
        cwd=TESTS,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def make_plain(hosting: Hosting, url: str, folder: Path) -> Flask:
    """Make the host without agents, on a database of its own, with its people and clients."""
    app = hosting.make(url, f"sqlite:///{folder}/plain.sqlite3", folder / "without")
    with app.app_context():
        hosting.populate()
    return app


def main(name: str, folder: str) -> None:
    with serving(lambda url: make_plain(named(name), url, Path(folder))) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
