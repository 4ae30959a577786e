"""The wheel: what is installed is what is in the two source roots, and nothing else."""

import zipfile
from pathlib import Path

import pytest
from tests.packaging.installed import ROOT

PACKAGES = {"deputize": ROOT / "plugins/deputize", "deputize_idp": ROOT / "app/deputize_idp"}


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The names of the files in it."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_whole(names: set[str], package: str) -> None:
    assert {name for name in names if name.startswith(f"{package}/")} == files_of(package)


def test_nothing_else_is_in_it(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


@pytest.mark.parametrize(
    "kind",
    [
        "deputize/**/templates/**/*.html",
        "deputize/**/static/**/*.css",
        "deputize/**/versions/*.py",
        "deputize/py.typed",
        "deputize_idp/**/templates/**/*.html",
        "deputize_idp/**/static/**/*.css",
        "deputize_idp/**/versions/*.py",
    ],
)
def test_it_holds_what_is_not_code(names: set[str], kind: str) -> None:
    package, _, pattern = kind.partition("/")
    found = {
        f"{package}/{path.relative_to(PACKAGES[package])}"
        for path in PACKAGES[package].glob(pattern)
    }
    assert found, f"the source has no {kind}"
    assert found <= names


def files_of(package: str) -> set[str]:
    folder = PACKAGES[package]
    return {
        f"{package}/{path.relative_to(folder)}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
