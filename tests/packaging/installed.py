"""Environments that hold the wheel and what it declares to need, and nothing else.

Each is empty at first. Then come the distributions that the wheel's own metadata leads to,
linked from those that the tests run with, so that nothing is downloaded and versions are
those of the lock; and `pip check` says whether anything declared is missing.
"""

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from cli.running import clean_environment

ROOT = Path(__file__).parents[2]
TIMEOUT = 120  # seconds
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@dataclass(frozen=True)
class Environment:
    """One environment and the folder, outside the checkout, that its commands run in."""

    folder: Path
    work: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment to its end."""
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.work,
            env=environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    def done(self, program: str, *arguments: str) -> str:
        """Run one that succeeds; what it printed."""
        ended = self.run(program, *arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    @contextmanager
    def running(self, program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run one until the end of the `with`, which it does not outlive."""
        command = [self.programs / program, *arguments]
        with subprocess.Popen(
            command, cwd=self.work, env=environ(), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def environ() -> dict[str, str]:
    return {name: v for name, v in clean_environment().items() if not name.startswith("PYTHON")}


def build_wheel(out: Path) -> Path:
    """Build the wheel as a release does."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = out.glob("*.whl")
    return path


def install(wheel: Path, folder: Path, extras: Iterable[str] = ()) -> Environment:
    """Make an environment of the wheel with these extras."""
    venv.create(folder / "environment", with_pip=False)
    environment = Environment(folder / "environment", folder / "work")
    environment.work.mkdir()
    (packages,) = environment.folder.glob("lib/python*/site-packages")
    for needed in closure(declared(wheel), frozenset(extras)):
        link(needed, packages)
    into = [*PIP, "--python", str(environment.programs / "python")]
    subprocess.run([*into, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    subprocess.run([*into, "check"], check=True)
    return environment


def declared(wheel: Path) -> list[str]:
    """The `Requires-Dist` of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


def closure(requirements: Iterable[str], extras: frozenset[str]) -> list[Distribution]:
    """The distributions that requirements lead to, each once."""
    found: dict[str, tuple[Distribution, frozenset[str]]] = {}
    waiting = [(text, extras) for text in requirements]
    while waiting:
        text, of_whom = waiting.pop()
        wanted = Requirement(text)
        if not is_wanted(wanted, of_whom):
            continue
        before = found[wanted.name][1] if wanted.name in found else None
        all_extras = frozenset(wanted.extras) | (before or frozenset())
        if all_extras != before:
            found[wanted.name] = (distribution(wanted.name), all_extras)
            waiting += [(each, all_extras) for each in found[wanted.name][0].requires or ()]
    return [distribution for distribution, _ in found.values()]


def is_wanted(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether a marker holds here, for any of the extras or for none."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": e}) for e in ("", *extras))


def link(needed: Distribution, packages: Path) -> None:
    """Put a distribution's files into another environment; its programs stay behind.

    What was compiled of them goes along: the first command would do it all again.
    """
    for file in needed.files or ():
        if ".." not in file.parts:
            path = packages / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                os.symlink(os.fspath(needed.locate_file(file)), path)
