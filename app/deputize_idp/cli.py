"""`deputize`: the identity provider's commands, with the plugin's mounted among them.

Each takes `--data`, `--config` and `--database`, and so finds the same settings and the
same database, whether a server runs or not. What is wrong is told in one line, exit 1;
exit 2 is for a command line that can't be.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import current_app

from deputize.cli import deputize as plugin
from deputize.cli.declaration import FILE
from deputize.cli.shared import Failure, Offline, get_context, one_line_errors, print_table
from deputize.declaration.export import export, write_toml
from deputize.declaration.read import CLIENTS, PEOPLE, read_declaration
from deputize.declaration.tell import told
from deputize.default_settings import default_toml
from deputize.settings import Settings as PluginSettings

from .apply import apply
from .configuration import LEFT_OUT, SECTION, Chosen, load_configuration, remember_issuer
from .declaration import all_people, exported_clients, exported_people
from .demo.command import demo
from .host import IdpHost
from .key_commands import idp_keys
from .serve import claim
from .settings import Settings
from .with_agents import close, create_app_with_agents, prepare, serve_with_agents

WHERE = (
    click.Option(
        ["--data"],
        type=click.Path(file_okay=False, path_type=Path),
        default="instance",
        show_default=True,
        help="The folder of the databases and the secret key.",
    ),
    click.Option(["--config"], type=FILE, help="The settings, as TOML."),
    click.Option(["--database"], metavar="URL", help="One database for everything."),
)

Run = Callable[..., Any]


@click.group()
def deputize() -> None:
    """An identity provider for people and for the agents that act for them."""


def main() -> None:
    """The command line. Files that it makes are readable by this user alone."""
    os.umask(0o077)
    deputize(prog_name="deputize")


def on_the_data(run: Run) -> Run:
    """Let a command run in the app that `--data`, `--config` and `--database` name."""

    @wraps(run)
    def inside(data: Path, config: Path | None, database: str | None, **kwargs: Any) -> Any:
        with one_line_errors():
            with starting(data):
                chosen = Chosen(data, config, database)
                app = create_app_with_agents(load_configuration(chosen, os.environ))
            try:
                with app.app_context():
                    return run(**kwargs)
            finally:
                close(app)

    return inside


@contextmanager
def starting(data: Path) -> Iterator[None]:
    """Tell in one line why there can be no app.

    :raises Failure: where the stored keys do not open, a file can't be read or made, or
        there is no driver for the database.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise Failure('database: PostgreSQL needs pip install "deputize[postgres]"') from None
    except OSError as error:
        raise Failure(f"{error.filename or data}: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:
        raise Failure(str(error)) from None


def add(command: click.Command, group: click.Group = deputize) -> None:
    """Add `command` to `group`, or each command below it, with the options that say where."""
    if isinstance(command, click.Group):
        # `people` is the plugin's as well as the host's.
        known = group.commands.get(command.name or "")
        below = (
            known
            if isinstance(known, click.Group)
            else click.Group(command.name, help=command.help)
        )
        for each in command.commands.values():
            add(each, below)
        group.add_command(below)
        return
    if isinstance(command, Offline):
        group.add_command(command)
        return
    mounted = copy(command)
    mounted.callback = on_the_data(command.callback) if command.callback else None
    mounted.params = [*command.params, *WHERE]
    group.add_command(mounted)


@deputize.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(
    host: str, port: int, workers: int, data: Path, config: Path | None, database: str | None
) -> None:
    """Run the server; it prints `ready on URL` when it answers.

    Without another issuer in the settings it is http://HOST:PORT.
    """
    name = f"[{host}]" if ":" in host else host
    chosen = Chosen(data, config, database, issuer=f"http://{name}:{port}")
    claim(host, port)
    with one_line_errors(), starting(data):
        configuration = load_configuration(chosen, os.environ)
        prepare(configuration)
        remember_issuer(configuration)
    serve_with_agents(configuration, host, port, workers)


serve.params += WHERE


@click.command("apply")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Tell what would change, and write nothing.")
@click.option("--prune", is_flag=True, help="Retire what the file no longer declares.")
def apply_command(file: Path, dry_run: bool, prune: bool) -> None:
    """Bring people, agents, resource servers, scopes and clients to what FILE declares.

    The same again changes nothing. What a kill switch ended is not revived. A file without
    [[people]] or [[clients]] prunes none of them.
    """
    declaration = read_declaration(file)
    changes = apply(get_context(), declaration, dry_run=dry_run, prune=prune)
    for line in told(changes, dry_run=dry_run):
        click.echo(line)


@click.command("export")
def export_command() -> None:
    """Write what is declared, in the form that `apply` reads. No secret is in it."""
    host = IdpHost(current_app._get_current_object())  # type: ignore[attr-defined]
    agents = export(get_context().db, host.username_of)
    people = {PEOPLE: exported_people()}
    click.echo(write_toml({**people, **agents, CLIENTS: exported_clients()}), nl=False)


@click.group("people")
def people_commands() -> None:
    """Who can sign in."""


@people_commands.command("list")
def list_people() -> None:
    """List everyone, with their groups and roles."""
    print_table(
        ("username", "id", "name", "groups", "roles", "active"),
        [
            (p.username, p.id, p.name, " ".join(p.groups), " ".join(p.roles), p.active)
            for p in all_people()
        ],
    )


@deputize.group("config")
def config_commands() -> None:
    """The settings."""


@config_commands.command("default")
def default_config() -> None:
    """Write every setting with its meaning and its default, as TOML."""
    click.echo(default_toml({"deputize": PluginSettings, SECTION: Settings}, LEFT_OUT), nl=False)


for each in (*plugin.commands.values(), apply_command, export_command, people_commands, idp_keys):
    add(each)
deputize.add_command(demo)
