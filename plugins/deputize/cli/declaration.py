"""`apply` and `export`: the declared state, as a file."""

from pathlib import Path

import click

from ..declaration.apply import carry_out, plan
from ..declaration.export import export, write_toml
from ..declaration.read import CLIENTS, PEOPLE, read_declaration
from ..declaration.tell import told
from ..part import ConfigurationError
from .shared import get_context, on_the_app

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("apply")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Tell what would change, and write nothing.")
@click.option("--prune", is_flag=True, help="Retire what the file no longer declares.")
@on_the_app
def apply_command(file: Path, dry_run: bool, prune: bool) -> None:
    """Bring agents, resource servers and scopes to what FILE declares."""
    declaration = read_declaration(file)
    for kind in declaration.kinds & {PEOPLE, CLIENTS}:
        raise ConfigurationError(f"{file}: [[{kind}]]: are this host's own to declare")
    steps = plan(get_context(), declaration, prune=prune)
    changes = [step.change for step in steps] if dry_run else carry_out(steps)
    for line in told(changes, dry_run=dry_run):
        click.echo(line)


@click.command("export")
@on_the_app
def export_command() -> None:
    """Write what is declared, in the form that `apply` reads. No secret is in it."""
    click.echo(write_toml(export(get_context().db)), nl=False)
