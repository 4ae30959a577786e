"""`audit list`: what happened, by whom and on whose behalf."""

import json
from typing import Any

import click

from ..audit.query import Search, find_events, time_of
from .audit_search import searching, spelled
from .shared import Failure, get_context, moment, on_the_app, print_table

#: Members of an event that have columns of their own.
_COLUMNS = ("id", "at", "kind", "rule", "person_id", "agent", "task_id", "delegation_id", "chain")


@click.group("audit")
def audit() -> None:
    """Read the audit trail."""


@audit.command("list")
@click.option("--before", help="Only those before this event, by its id: the page before.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@on_the_app
@searching
def list_events(search: Search, before: str | None, limit: int, as_json: bool) -> None:
    """List the newest events, the oldest of them first."""
    _validate_place(before)
    with get_context().db.read() as tx:
        events = find_events(tx, search, limit, before)[::-1]
    if as_json:
        for line in spelled(events, lambda body: json.dumps(json.loads(body), sort_keys=True)):
            click.echo(line)
    else:
        columns = ("at", "kind", "person", "chain", "agent", "task", "delegation", "rule", "facts")
        print_table(columns, spelled(events, lambda body: row_of(json.loads(body))))
    if len(events) == limit:
        click.echo(f"there may be older ones: --before {events[0].id}", err=True)


def row_of(happened: dict[str, Any]) -> tuple[object, ...]:
    """Return what a table shows of an event."""
    return (
        moment(happened["at"]),
        happened["kind"],
        happened.get("person_id"),
        " → ".join(happened.get("chain", ())),
        happened.get("agent"),
        happened.get("task_id"),
        happened.get("delegation_id"),
        happened.get("rule"),
        _facts(happened),
    )


def _validate_place(before: str | None) -> None:
    try:
        if before is not None:
            time_of(before)
    except ValueError:
        raise Failure(f"--before {before}: is not the id of an event") from None


def _facts(happened: dict[str, Any]) -> str:
    facts = {k: v for k, v in sorted(happened.items()) if k not in _COLUMNS and v is not None}
    return "  ".join(f"{name}={_told(value)}" for name, value in facts.items())


def _told(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
