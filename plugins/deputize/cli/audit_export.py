"""`audit export` and `audit follow`: the trail as other systems read it, all of it or live."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable

import click

from ..audit.follow import follow
from ..audit.formats.cef import cef_line
from ..audit.formats.jsonl import jsonl_line
from ..audit.formats.ocsf import ocsf_line
from ..audit.query import Search, Told, each_event
from .audit_search import searching, spelled
from .shared import get_context, on_the_app

FORMATS: dict[str, Callable[[bytes], str]] = {
    "jsonl": jsonl_line,
    "ocsf": ocsf_line,
    "cef": cef_line,
}

#: Seconds between two looks.
_PAUSE = 0.5

_format = click.option(
    "--format",
    "name",
    type=click.Choice(list(FORMATS)),
    default="jsonl",
    show_default=True,
    help="JSON Lines as sealed, OCSF 1.3.0 as JSON Lines, or CEF.",
)


@click.command("export")
@_format
@on_the_app
@searching
def export_command(search: Search, name: str) -> None:
    """Print all events, the oldest first, one a line; as many as there are."""
    _print(each_event(get_context().db, search), FORMATS[name])


@click.command("follow")
@_format
@on_the_app
@searching
def follow_command(search: Search, name: str) -> None:
    """Print events as they are committed, one a line, until SIGTERM or SIGINT.

    With --since, what happened from then on comes first.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _print(follow(get_context().db, search, lambda: stop.wait(_PAUSE)), FORMATS[name])


def _print(events: Iterable[Told], spell: Callable[[bytes], str]) -> None:
    """Print a line for each; whoever reads them may have had enough at any time."""
    try:
        for line in spelled(events, spell):
            # An agent's words may hold what is no text: half a surrogate pair, escaped in JSON.
            sys.stdout.buffer.write(line.encode(errors="backslashreplace") + b"\n")
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Or Python would try once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
