"""`approvals stats`: how often agents ask people, and what comes of it."""

import json
from dataclasses import asdict

import click

from ..approvals.stats import Asked, stats
from .shared import get_context, on_the_app, print_table, seconds_of


@click.group("approvals")
def approvals() -> None:
    """What agents ask people."""


@approvals.command("stats")
@click.option(
    "--since",
    "age",
    default="7d",
    show_default=True,
    help="Of what was asked within so long: such as 7d or 12h.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@on_the_app
def stats_command(age: str, as_json: bool) -> None:
    """Questions per task, what people said, and how soon they said it."""
    seconds = seconds_of("--since", age)
    with get_context().db.read() as tx:
        told = stats(tx, tx.now - seconds)
    if as_json:
        for asked in told:
            click.echo(json.dumps(asdict(asked), sort_keys=True))
        return
    columns = (
        "agent", "tasks", "asked", "per task", "yes", "less", "no", "unanswered", "waiting",
        "answered in",
    )  # fmt: skip
    print_table(columns, map(_row, told))


def _row(asked: Asked) -> tuple[object, ...]:
    usual, most = asked.per_task
    waited = asked.seconds
    return (
        asked.agent,
        asked.tasks,
        asked.questions,
        f"{usual:g} (most {most})",
        asked.yes,
        asked.less,
        asked.no,
        asked.unanswered,
        asked.waiting,
        f"{waited[0]:g} s (95%: {waited[1]:g} s)" if waited else None,
    )
