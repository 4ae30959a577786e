"""Who may import whom, beyond what one process can see: read from the source, then run.

import-linter holds the arrows between the rooms; these are the walls around the plugin.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins" / "deputize"
HOUSE = ("app", "plugins", "tests", "benchmarks", "examples")
PURE = [room for room in ("oauth", "client", "resource") if (PLUGIN / room).is_dir()]
FRAMEWORKS = {"flask", "sqlalchemy", "flask_sqlalchemy", "werkzeug"}
VAGUE = {"service", "services", "utils", "util", "manager", "managers", "helpers", "helper"}

IMPORT_ALL = """
import importlib, pkgutil, sys
room = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
    importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
IMPORT_ONE = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_plugin_never_imports_the_host() -> None:
    assert not _importers(PLUGIN, {"deputize_idp"})


@pytest.mark.parametrize("folder", HOUSE)
def test_source_roots_are_not_import_names(folder: str) -> None:
    assert not _importers(ROOT / folder, {"app", "plugins"})


@pytest.mark.parametrize("room", PURE)
def test_what_agents_and_apis_import_names_no_framework(room: str) -> None:
    assert not _importers(PLUGIN / room, FRAMEWORKS)


@pytest.mark.parametrize("room", PURE)
def test_what_agents_and_apis_import_loads_no_framework(room: str) -> None:
    assert not FRAMEWORKS & _loaded_by(IMPORT_ALL, f"deputize.{room}")


@pytest.mark.parametrize("program", ["agent", "api"])
def test_nor_do_those_of_the_demo(program: str) -> None:
    """Six of them start for one story."""
    assert not FRAMEWORKS & _loaded_by(IMPORT_ONE, f"deputize_idp.demo.{program}")


def _loaded_by(script: str, name: str) -> set[str]:
    command = [sys.executable, "-c", script, name]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("folder", HOUSE)
def test_a_file_is_named_for_its_use_case(folder: str) -> None:
    assert not [path for path in _sources(ROOT / folder) if path.stem in VAGUE]


def _importers(folder: Path, names: set[str]) -> list[str]:
    """`file imports name`, for each import of one of the top-level `names`."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources(folder)
        for name in sorted(_imported(path) & names)
    ]


def _sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(), path)
    return {name.partition(".")[0] for node in ast.walk(tree) for name in _names(node)}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module
