"""`plugins`: the parts that are on, from the list that metadata and start-up checks read."""

import click
from flask import current_app

from ..part import Part
from .shared import get_context, on_the_app, print_table


@click.command("plugins")
@on_the_app
def plugins() -> None:
    """List the parts, and what each contributes."""
    get_context()
    parts: tuple[Part, ...] = current_app.extensions["deputize"].parts
    print_table(
        ("part", "grants", "endpoints", "metadata", "tables"),
        [
            (
                part.name,
                " ".join(grant.rpartition(":")[2] for grant in part.grants),
                " ".join(part.endpoints),
                " ".join(part.metadata),
                " ".join(table.name for table in part.tables),
            )
            for part in parts
        ],
    )
