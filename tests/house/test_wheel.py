"""The wheel: what is installed is what is in the two source roots, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"deputize": ROOT / "plugins/deputize", "deputize_idp": ROOT / "app/deputize_idp"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a freshly built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_whole(wheel: set[str], package: str) -> None:
    assert {name for name in wheel if name.startswith(f"{package}/")} == _files(package)


def test_nothing_else_is_in_it(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


@pytest.mark.parametrize(
    "kind",
    [
        "deputize/**/templates/**/*.html",
        "deputize/**/static/**/*.css",
        "deputize/**/versions/*.py",
        "deputize/py.typed",
        "deputize_idp/**/templates/**/*.html",
    ],
)
def test_it_holds_what_is_not_code(wheel: set[str], kind: str) -> None:
    package, _, pattern = kind.partition("/")
    found = {
        f"{package}/{path.relative_to(PACKAGES[package])}"
        for path in PACKAGES[package].glob(pattern)
    }
    assert found, f"the source has no {kind}"
    assert found <= wheel


def _files(package: str) -> set[str]:
    folder = PACKAGES[package]
    return {
        f"{package}/{path.relative_to(folder)}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
