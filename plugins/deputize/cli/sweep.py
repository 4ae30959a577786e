"""`sweep`: writes down what time has ended, for hosts that run no server of ours."""

import click

from ..endings.sweep import sweep
from ..web.words import count_of
from .shared import get_context, on_the_app


@click.command("sweep")
@on_the_app
def sweep_command() -> None:
    """End overdue tasks and forget what has expired; run it from a timer, as often as you like."""
    swept = sweep(get_context().db)
    click.echo(f"{count_of(swept.tasks, 'overdue task')} ended, {swept.forgotten} forgotten")
