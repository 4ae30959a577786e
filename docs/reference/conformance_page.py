"""conformance.md: what the black-box tests hold the server to, section by section.

Read from the tests' own marks, names and docstrings, without running them.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown_page import page

ROOT = Path(__file__).parents[2]

ABOUT = """
What the tests under `tests/spec/` hold the server to, over HTTP, by the section that they are
marked with. Each phrase is the name of a test, which may try many values; `make test` runs them.
Of a section that is not here, nothing is claimed.
"""


def conformance() -> str:
    """Return the page."""
    held: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for file in sorted((ROOT / "tests/spec").rglob("test_*.py")):
        specification, section = _marked(file)
        held[specification].append((section, file))
    lines = [line for name in sorted(held, key=_order) for line in _chapter(name, held[name])]
    return page("Conformance", ABOUT, lines)


def _chapter(specification: str, held: list[tuple[str, Path]]) -> Iterator[str]:
    yield from (f"## {specification}", "")
    for section, file in sorted(held, key=lambda each: _order(each[0])):
        tree = ast.parse(file.read_text())
        path = file.relative_to(ROOT).as_posix()
        yield f"**{_linked(specification, section)}** {_about(tree)} [`{path}`](../../{path})"
        yield from ("", *_phrases(tree), "")


def _marked(file: Path) -> tuple[str, str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "section":
            specification, section = (str(ast.literal_eval(argument)) for argument in node.args)
            return specification, section
    raise ValueError(f"{file}: no pytest.mark.section(specification, section)")


def _linked(specification: str, section: str) -> str:
    kind, _, number = specification.partition(" ")
    if kind == "RFC":
        return f"[§{section}](https://www.rfc-editor.org/rfc/rfc{number}#section-{section})"
    return f"[§{section}](../protocol.md)"


def _phrases(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if _is_test(node):
            yield f"- {_spoken(node)}"
        if isinstance(node, ast.ClassDef):
            tests = [_spoken(test) for test in node.body if _is_test(test)]
            if tests:
                yield f"- {_about(node).rstrip('.:')}: {'; '.join(tests)}"


def _about(node: ast.Module | ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ").strip()


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def _spoken(test: Any) -> str:
    return str(test.name.removeprefix("test_").replace("_", " "))


def _order(text: str) -> list[tuple[int, str]]:
    return [(int(number or 0), word) for number, word in re.findall(r"(\d+)|(\D+)", text)]
