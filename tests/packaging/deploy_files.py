"""The files of `examples/deploy`, read as those that use them read them, and no more than
the tests need.
"""

import re
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.packaging.installed import ROOT

DEPLOY = ROOT / "examples/deploy"
SETTINGS = DEPLOY.parents[1] / "config/production.example.toml"
UNIT = DEPLOY / "deputize.service"
NGINX = DEPLOY / "nginx.conf"
DOCKERFILE = DEPLOY / "Dockerfile"
README = DEPLOY / "README.md"


@dataclass
class Block:
    """A block of nginx's configuration: its directives, and the blocks in it."""

    name: str = "http"
    arguments: tuple[str, ...] = ()
    directives: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)

    def all_of(self, name: str) -> list[tuple[str, ...]]:
        """The arguments of each directive of that name in here."""
        return [arguments for own, arguments in self.directives if own == name]

    def get(self, name: str) -> tuple[str, ...]:
        """The arguments of the one directive of that name."""
        (arguments,) = self.all_of(name)
        return arguments

    def inner(self, name: str) -> list["Block"]:
        return [block for block in self.blocks if block.name == name]


def read_nginx(path: Path = NGINX) -> Block:
    """Read a file of nginx.

    :raises AssertionError: where a block or a directive does not end.
    """
    lexer = shlex.shlex(path.read_text(), posix=True, punctuation_chars=";{}")
    lexer.whitespace_split, lexer.commenters = True, "#"
    stack, words = [Block()], list[str]()
    for token in lexer:
        if token == ";":
            stack[-1].directives.append((words[0], tuple(words[1:])))
        elif token == "{":
            stack[-1].blocks.append(Block(words[0], tuple(words[1:])))
            stack.append(stack[-1].blocks[-1])
        elif token == "}":
            assert not words, f"{words}: no `;` before `}}`"
            stack.pop()
        else:
            words.append(token)
            continue
        words = []
    assert len(stack) == 1, "a block is not closed"
    assert not words, f"{words}: no `;`"
    return stack[0]


def read_unit(path: Path = UNIT) -> dict[str, dict[str, list[str]]]:
    """The sections of a systemd unit, each key with all its values."""
    sections: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in path.read_text().splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif line and not line.startswith("#"):
            key, is_set, value = line.partition("=")
            assert is_set, line
            assert section, line
            sections[section][key].append(value)
    return sections


def read_dockerfile(path: Path = DOCKERFILE) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, continued lines joined."""
    joined = path.read_text().replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]
