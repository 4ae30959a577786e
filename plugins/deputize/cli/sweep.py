"""`sweep`: writes down what time has ended, for hosts that run no server of ours."""

import click

from ..endings.sweep import sweep
from ..endings.unused import act_on_unused
from ..web.words import count_of
from .shared import get_context, on_the_app


@click.command("sweep")
@on_the_app
def sweep_command() -> None:
    """End overdue tasks and forget what has expired; run it from a timer, as often as you like."""
    context = get_context()
    swept, unused = sweep(context.db), act_on_unused(context.db, context.settings.agents)
    click.echo(f"{count_of(swept.tasks, 'overdue task')} ended, {swept.forgotten} forgotten")
    for client_id in unused.reported:
        click.echo(f"{client_id}: unused for long")
    for client_id in unused.suspended:
        click.echo(f"{client_id}: unused for longer, and suspended")
