"""rules.md: every rule that can say no, and the OAuth error that it is answered with."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from markdown_page import page, table

from deputize.delegation.answers import (
    ANSWERS,
    GRANT_ANSWERS,
    OWN_ANSWERS,
    REGISTRATION_ANSWERS,
    TASK_ANSWERS,
    Answers,
)
from deputize.delegation.liveness import TEXTS

PLUGIN = Path(__file__).parents[2] / "plugins/deputize"
ROOMS = ("agents", "approvals", "delegation", "endings", "policy")
#: In these a rule may stand apart from the refusal that raises it.
NAMING = ("agents", "delegation")
FAMILIES = {rule.partition(".")[0] for rule in ANSWERS}
RULE = re.compile(r"[a-z_]+\.[a-z_]+")

ABOUT = """
A refusal names its rule in the audit trail (`deputize audit list --kind token.refused`); the
client is told an OAuth error, with status 400 where none is given here, and a sentence. The same
rule may be answered otherwise for a code or a refresh token (RFC 6749 §5.2), or at registration
(RFC 7591 §3.2.2). What a protocol check refuses before any rule is asked is recorded as
`request.ERROR`, where ERROR is the OAuth error itself. No sentence here: it depends on the request.
"""


def rules() -> str:
    """Return the page."""
    told = _rules_in_code()
    rows = [(f"`{rule}`", _answers(rule), told[rule]) for rule in sorted(told)]
    return page("Rules", ABOUT, table(("rule", "answered with", "the client is told"), rows))


def _answers(rule: str) -> str:
    usual = _answer(rule, ANSWERS)
    others = {
        "code, refresh": _answer(rule, {**ANSWERS, **GRANT_ANSWERS}),
        "an agent for itself": _answer(rule, {**ANSWERS, **OWN_ANSWERS}),
        "registration": _answer(rule, {**ANSWERS, **REGISTRATION_ANSWERS}),
        "tasks": _answer(rule, {**ANSWERS, **TASK_ANSWERS}),
    }
    differing = [f"{where}: {answer}" for where, answer in others.items() if answer != usual]
    return "; ".join([usual, *differing])


def _answer(rule: str, answers: Answers) -> str:
    error = answers.get(rule) or answers[rule.partition(".")[0]]
    status = "" if error.status_code == 400 else f" ({error.status_code})"
    return f"`{error.error}`{status}"


def _rules_in_code() -> dict[str, str]:
    """Return each rule that the rooms name, with its sentence where that is always the same."""
    texts: dict[str, set[str]] = defaultdict(set)
    for file in sorted(file for room in ROOMS for file in (PLUGIN / room).glob("*.py")):
        tree = ast.parse(file.read_text())
        names = vars(import_module(f"deputize.{file.parent.name}.{file.stem}"))
        for rule, text in _refusals(tree, names):
            texts[rule].add(text)
        for rule in _rules_named(tree) if file.parent.name in NAMING else ():
            texts[rule] |= {TEXTS[rule]} if rule in TEXTS else set()
    return {rule: told.pop() if len(told) == 1 else "" for rule, told in texts.items()}


def _refusals(tree: ast.Module, names: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for call in (*_calls(tree, "Refusal"), *_calls(tree, "NeedsWord")):
        rule, text = (_value(argument, names) for argument in call.args[:2])
        if rule is not None and text is not None and _is_rule(rule):
            yield rule, text


def _value(node: ast.expr, names: Mapping[str, Any]) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return names.get(node.id) if isinstance(node, ast.Name) else None


def _rules_named(tree: ast.Module) -> Iterator[str]:
    """Yield what stands in the code as a rule's name; an event's kind is none."""
    kinds = {id(call.args[0]) for call in _calls(tree, "Event") if call.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in kinds and _is_rule(node.value):
            yield node.value


def _calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            yield node


def _is_rule(value: object) -> bool:
    is_name = isinstance(value, str) and RULE.fullmatch(value) is not None
    return is_name and str(value).partition(".")[0] in FAMILIES
