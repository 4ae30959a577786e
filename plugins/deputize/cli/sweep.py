"""`sweep`: writes down what time has ended, for hosts that run no server of ours."""

import click
from flask import current_app

from ..web.words import count_of
from .shared import get_context, on_the_app


@click.command("sweep")
@on_the_app
def sweep_command() -> None:
    """End overdue tasks, stop what nobody uses, forget what has expired, seal what has happened.

    Run it from a timer, as often as you like.
    """
    get_context()
    agents = current_app.extensions["deputize"]
    swept, unused = agents.sweep()
    agents.sealer.seal()
    click.echo(f"{count_of(swept.tasks, 'overdue task')} ended, {swept.forgotten} forgotten")
    for client_id in unused.reported:
        click.echo(f"{client_id}: unused for long")
    for client_id in unused.suspended:
        click.echo(f"{client_id}: unused for longer, and suspended")
