"""`sweep`: writes down what time has ended, for hosts that run no server of ours."""

import click
from flask import current_app

from ..endings.sweep import sweep
from ..web.words import count_of
from .shared import get_context, on_the_app


@click.command("sweep")
@on_the_app
def sweep_command() -> None:
    """End overdue tasks, forget what has expired, seal what has happened.

    Run it from a timer, as often as you like.
    """
    swept = sweep(get_context().db)
    agents = current_app.extensions["deputize"]
    agents.put_away()
    agents.sealer.seal()
    click.echo(f"{count_of(swept.tasks, 'overdue task')} ended, {swept.forgotten} forgotten")
