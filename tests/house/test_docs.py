"""The documents: what they link to is there, what they print can be typed, what they show runs."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from urllib.parse import unquote
from xml.etree import ElementTree

import click
import httpx
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cli.running import DEMO, Operator, clean_environment
from deputize_idp.cli import deputize
from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.demo.person import ScriptedPerson
from deputize_idp.with_agents import close, create_app_with_agents
from support.missing import missing

ROOT = Path(__file__).parents[2]
ELSEWHERE = {".venv", ".git", "build", "dist", "instance", "results", "node_modules"}
FILES = [p for p in sorted(ROOT.rglob("*.md")) if not ELSEWHERE & {*p.relative_to(ROOT).parts}]
GENERATED = ("conformance.md", "rules.md", "settings.md", "trail.md")
PROGRAMS = ("deputize", "make", "curl")

#: Pages whose blocks are run, and the server that they speak to.
TYPED = (ROOT / "docs/getting-started.md", ROOT / "docs/operating.md")
SHOWN_URL = "http://127.0.0.1:8000"


@cache
def tokens_of(file: Path) -> list[Token]:
    """What is in a page, inline tokens after the block that holds them."""
    blocks = MarkdownIt("commonmark").enable("table").parse(file.read_text())
    return [token for block in blocks for token in (block, *(block.children or ()))]


def fences(file: Path, language: str) -> list[str]:
    return [t.content for t in tokens_of(file) if t.type == "fence" and t.info == language]


def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    tokens = tokens_of(file)
    headings = [t.content for h, t in pairwise(tokens) if h.type == "heading_open"]
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def links(file: Path) -> Iterator[tuple[str, str]]:
    """Each link within the repository, with its words; images have none."""
    tokens = tokens_of(file)
    for at, token in enumerate(tokens):
        target = token.attrGet("href" if token.type == "link_open" else "src")
        if isinstance(target, str) and ":" not in target.partition("/")[0]:
            yield target, tokens[at + 1].content if token.type == "link_open" else ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
class TestEveryPage:
    def test_its_links_lead_somewhere(self, file: Path) -> None:
        for target, words in links(file):
            path, _, anchor = unquote(target).partition("#")
            there = (file.parent / path).resolve() if path else file
            assert there.exists(), target
            assert there.is_relative_to(ROOT), target
            assert not anchor or anchor in anchors(there), target
            if there.suffix == ".py" and re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", words):
                assert f"def {words}(" in there.read_text(), f"{words} is not in {path}"

    def test_its_commands_can_be_typed(self, file: Path) -> None:
        for fence in fences(file, "bash"):
            for command in commands_in(fence):
                require_command(command)
        for token in tokens_of(file):
            if token.type == "code_inline" and token.content.startswith("deputize "):
                require_options(deputize, shlex.split(token.content)[1:])

    def test_its_python_compiles_and_imports_what_is_there(self, file: Path) -> None:
        for fence in fences(file, "python"):
            for node in ast.walk(ast.parse(fence, file.name)):
                require_import(node)

    def test_its_toml_is_toml(self, file: Path) -> None:
        for fence in fences(file, "toml"):
            tomllib.loads(fence)


def commands_in(script: str) -> Iterator[list[str]]:
    """The words of each `deputize`, `make` and `curl` of a script."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars="();|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    for is_between, words in groupby(lexer, lambda word: not word.strip("();|&\n")):
        command = list(words)
        if not is_between and command[0] in PROGRAMS:
            yield command


def require_command(words: list[str]) -> None:
    program, *arguments = words
    if program == "deputize":
        require_options(deputize, arguments)
    elif program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
        assert {word for word in arguments if "=" not in word} <= {*targets}, words
    else:
        (path,) = [word.removeprefix("$ISSUER") for word in arguments if "$ISSUER" in word]
        assert path in endpoints(), words


def require_options(command: click.Command, arguments: list[str]) -> None:
    """Walk down the groups, then parse as click would: an unknown option or command raises."""
    while isinstance(command, click.Group):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    command.make_parser(click.Context(command)).parse_args(list(arguments))


@cache
def endpoints() -> set[str]:
    """The paths that the server answers at: its own, and those of its metadata."""
    with TemporaryDirectory() as folder:
        app = create_app_with_agents(load_configuration(Chosen(Path(folder)), {}))
        said = app.test_client().get("/.well-known/oauth-authorization-server").get_json()
        close(app)
    named = {url.removeprefix(said["issuer"]) for url in said.values() if isinstance(url, str)}
    return {rule.rule for rule in app.url_map.iter_rules()} | named


def require_import(node: ast.AST) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            import_module(alias.name)
    elif isinstance(node, ast.ImportFrom):
        module = import_module(str(node.module))
        absent = [alias.name for alias in node.names if not hasattr(module, alias.name)]
        assert not absent, f"{node.module} has no {absent}"


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The folder that generates its own pages."""
    monkeypatch.syspath_prepend(str(ROOT / "docs/reference"))
    return import_module("generate")


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_current(reference: ModuleType, name: str) -> None:
    written = (ROOT / "docs/reference" / name).read_text()
    assert written == reference.PAGES[name](), "python docs/reference/generate.py"


def test_every_generated_page_is_looked_at(reference: ModuleType) -> None:
    assert set(GENERATED) == set(reference.PAGES)


def test_the_architecture_has_the_parts(reference: ModuleType) -> None:
    parts = import_module("parts_table").parts()
    assert parts in (ROOT / "ARCHITECTURE.md").read_text()


def test_the_architecture_has_the_rooms_in_their_order() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    page = (ROOT / "ARCHITECTURE.md").read_text()
    table = page.partition("| room |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in table]
    assert rows == [set(re.findall(r"\w+", layer)) for layer in layers]


def test_the_picture_says_in_words_what_it_shows() -> None:
    picture = ElementTree.parse(ROOT / "docs/picture.svg").getroot()
    named = {child.get("id"): child.text for child in picture if child.get("id")}
    assert picture.get("aria-labelledby") == "title desc"
    assert named["title"]
    assert named["desc"]
    text = ElementTree.tostring(picture, encoding="unicode")
    assert "href" not in text
    assert "script" not in text


def test_what_the_pages_say_to_type_works_as_written(tmp_path: Path) -> None:
    """The blocks of both in one shell, against a server of its own; the person is played."""
    if shutil.which("curl") is None:
        missing("curl", "no `curl` on PATH")
    shutil.copytree(DEMO.parent, tmp_path / "config")
    script = "\n".join(block for page in TYPED for block in fences(page, "bash"))
    with Operator(tmp_path / "instance").serving() as url:
        told = typed(script.replace(SHOWN_URL, url), tmp_path)
    for answer in (answer for answer in fences(TYPED[0], "json") if len(answer) < 200):
        assert answer.strip() in told
    assert re.search(r"~ agent a-\S+: adopted", told)
    assert "1 adopted" in told


def typed(script: str, folder: Path) -> str:
    """Run the script in `folder`; what it printed. It ends at the first command that fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=clean_environment() | {"PATH": path},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as shell:
        assert shell.stdin
        assert shell.stdout
        told = ""
        for line in shell.stdout:
            told += line
            if "/oauth/authorize?" in line:
                shell.stdin.write(f"{code_for(line.strip())}\n")
                shell.stdin.flush()
    assert shell.returncode == 0, told
    return told


def code_for(url: str) -> str:
    """Let the person open `url`, sign in and allow; the code in the address she ends at."""
    with pytest.raises(httpx.HTTPError) as nobody_listens_there:
        ScriptedPerson().allow(url)
    return nobody_listens_there.value.request.url.params["code"]
