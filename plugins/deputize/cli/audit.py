"""`audit list`: what happened, by whom and on whose behalf."""

import json
from typing import Any

import click
from sqlalchemy import select

from ..audit.models import event
from .shared import get_context, moment, on_the_app, print_table

#: Members of an event that have columns of their own.
_COLUMNS = ("id", "at", "kind", "rule", "person_id", "agent", "task_id", "delegation_id")


@click.group("audit")
def audit() -> None:
    """Read the audit trail."""


@audit.command("list")
@click.option("--agent", help="About this agent, by its client id.")
@click.option("--task", "task_id", help="Of this task.")
@click.option("--kind", help='Of this kind, such as "delegation.issued", or all of "delegation".')
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@on_the_app
def list_events(
    agent: str | None, task_id: str | None, kind: str | None, limit: int, as_json: bool
) -> None:
    """List the newest events, the oldest of them first."""
    events = _events(agent, task_id, kind, limit)
    if as_json:
        for happened in events:
            click.echo(json.dumps(happened, sort_keys=True))
        return
    print_table(
        ("at", "kind", "agent", "task", "delegation", "rule", "facts"),
        [
            (
                moment(e["at"]),
                e["kind"],
                e.get("agent"),
                e.get("task_id"),
                e.get("delegation_id"),
                e.get("rule"),
                _facts(e),
            )
            for e in events
        ],
    )


def _events(
    agent: str | None, task_id: str | None, kind: str | None, limit: int
) -> list[dict[str, Any]]:
    asked = select(event.c.body).order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
    if agent:
        asked = asked.where(event.c.agent == agent)
    if task_id:
        asked = asked.where(event.c.task_id == task_id)
    if kind:
        family = event.c.kind.startswith(f"{kind}.", autoescape=True)
        asked = asked.where((event.c.kind == kind) | family)
    with get_context().db.read() as tx:
        return [json.loads(body) for body in reversed(tx.execute(asked).scalars().all())]


def _facts(happened: dict[str, Any]) -> str:
    facts = {k: v for k, v in sorted(happened.items()) if k not in _COLUMNS and v is not None}
    return "  ".join(f"{name}={_told(value)}" for name, value in facts.items())


def _told(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
