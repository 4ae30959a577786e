"""`check`: does this host fit? What was found, what is missing, and what to add."""

import click
from flask import current_app
from rich.text import Text

from ..check import Kind, check_app
from .shared import console, get_context, on_the_app, safe

_MARKS = {Kind.FOUND: "●", Kind.ADVICE: "◐", Kind.MISSING: "✕"}


@click.command("check")
@on_the_app
def check() -> None:
    """Look at the host that Deputize was added to; exit 1 where something is missing."""
    get_context().validate_ready()
    found = check_app(current_app._get_current_object())  # type: ignore[attr-defined]
    for each in found:
        console().print(Text(f"{_MARKS[each.kind]} {each.kind:8} ") + safe(each.text))
        if each.line:
            console().print(Text(f"{'add':>10} {each.line}"))
    if any(each.kind is Kind.MISSING for each in found):
        raise click.exceptions.Exit(1)
