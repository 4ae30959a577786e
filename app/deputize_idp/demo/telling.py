"""How the story reads in the terminal: numbered steps, what each API says, the tree."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

GOOD, BAD, ENDED = "●", "✕", "○"
COLOURS = {GOOD: "green", BAD: "red", ENDED: "dim"}


class NotAsToldError(Exception):
    """A step did not go as the story has it."""


@dataclass
class Held:
    """A token of the story.

    :param chain: the agents that act, the first deputized first
    """

    name: str
    value: str
    claims: dict[str, Any]
    is_refused: bool = False

    @property
    def chain(self) -> tuple[str, ...]:
        return _chain(self.claims.get("act"))


class Telling:
    """Writes the story; ids are replaced by the names that the story has for them."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._step = 0
        self.names: dict[str, str] = {}

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._step += 1
        self._console.print()
        self._write(Text(f"{self._step}. {title}", style="bold"))

    def line(self, text: str) -> None:
        """Say what happens."""
        self._write(Text(f"   {self._named(text)}"))

    def aside(self, text: str) -> None:
        """Say what is worth knowing beside the story."""
        self._write(Text(f"   {self._named(text)}", style="dim"))

    def outcome(self, mark: str, text: str) -> None:
        """Say how something went: GOOD, or BAD for a refusal."""
        self._write(Text.assemble("   ", (mark, COLOURS[mark]), " ", self._named(text)))

    def invite(self, text: str, url: str) -> None:
        """Say what the person is waited for."""
        self._write(Text(f"   ▶ {text}", style="bold yellow"))
        self._write(Text(f"     {url}"))

    def failed(self, text: str) -> None:
        """Say that the story can't go on."""
        self._console.print()
        self._write(Text(f"{BAD} Not as told: {self._named(text)}", style="bold red"))

    def tree(self, person: str, tokens: Sequence[Held]) -> None:
        """Show who acts through whom, and each token with its claims; grey once it is all over."""
        style = "dim" if all(token.is_refused for token in tokens) else "bold"
        root = Tree(Text(person, style="bold"), guide_style="dim")
        branches: dict[tuple[str, ...], Tree] = {(): root}
        for token in sorted(tokens, key=lambda token: len(token.chain)):
            agent = branches.get(token.chain)
            if agent is None:
                name = Text(self._named(token.chain[-1]), style=style)
                agent = branches[token.chain] = branches[token.chain[:-1]].add(name)
            agent.add(self._token(token))
        self._console.print()
        self._console.print(root)

    def _token(self, token: Held) -> Text:
        mark = ENDED if token.is_refused else GOOD
        text = Text.assemble((mark, COLOURS[mark]), " ", token.name)
        if token.is_refused:
            return Text.assemble((f"{mark} {token.name}  refused", "dim"))
        told = "".join(f"\n  {name:7} {value}" for name, value in self._claims(token))
        return text.append(told, style="dim")

    def _claims(self, token: Held) -> list[tuple[str, str]]:
        claims = token.claims
        may_act = claims.get("may_act", {}).get("sub", "")
        told = {
            "sub": claims["sub"],
            "act": _nested(token.chain),
            "may_act": may_act,
            "aud": claims["aud"],
            "scope": claims["scope"],
            "exp": in_words(claims["exp"] - time.time()),
        }
        return [(name, self._named(value)) for name, value in told.items() if value]

    def _named(self, text: str) -> str:
        for id_, name in self.names.items():
            text = text.replace(id_, name)
        return text

    def _write(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def in_words(seconds: float) -> str:
    """Say how long from now, as people do."""
    if seconds < 90:
        return f"in {max(0, round(seconds))} seconds"
    return f"in {round(seconds / 60)} minutes"


def _chain(act: Any) -> tuple[str, ...]:
    return (*_chain(act.get("act")), act["sub"]) if act else ()


def _nested(chain: tuple[str, ...]) -> str:
    """Write the `act` claim as it nests: who acts now is outermost."""
    nested = ""
    for agent in chain:
        nested = f"{agent} {{ {nested} }}" if nested else agent
    return nested
