"""`deputize demo`, for the command line to mount."""

import signal
import sys
from pathlib import Path
from typing import NoReturn

import click

from .processes import data_folder
from .story import play


@click.command()
@click.option("--once", is_flag=True, help="Play the person's part too, then exit.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this folder; without it nothing is left behind.",
)
def demo(once: bool, data: Path | None) -> None:
    """Play the story of one trip, with real processes over real HTTP.

    The server stays up afterwards until Ctrl-C; with --once the command exits, non-zero if
    any step was not as told.
    """
    for stopping in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stopping, _stop)
    try:
        with data_folder(data) as folder:
            told = play(folder, is_scripted=once)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    sys.exit(0 if told else 1)


def _stop(number: int, _frame: object) -> NoReturn:
    # As an exception, so that every process is ended and the folder removed on the way out.
    sys.exit(128 + number)
