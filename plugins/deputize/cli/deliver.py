"""`deliver`: sends what is due from the outbox, for hosts that let no worker do it."""

import signal
import threading

import click
from flask import current_app

from ..web.words import count_of
from .shared import get_context, on_the_app


@click.command("deliver")
@click.option("--until-stopped", is_flag=True, help="Go on until SIGTERM or SIGINT.")
@on_the_app
def deliver_command(until_stopped: bool) -> None:
    """Send what is due to those who wait for it; run it from a timer, or let it run on."""
    get_context()
    deliverer = current_app.extensions["deputize"].deliverer()
    if not until_stopped:
        click.echo(f"{count_of(deliverer.deliver_due(), 'attempt')} made")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deliverer.run(stop)
