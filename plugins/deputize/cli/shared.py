"""What the commands share: the app's context, one-line errors, and how rows are shown.

Names and purposes are agents' own words, so a terminal gets them without controls,
escapes or markup.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import IO, Any, ParamSpec, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from ..core.db import Transaction
from ..declaration.members import Duration
from ..delegation.context import Context
from ..delegation.models import person, tombstone
from ..host import Person
from ..part import ConfigurationError
from ..web.words import neutralise

#: Columns where no terminal says how many it has: lines are not broken in a pipe.
_PIPE_WIDTH = 4000
_LONGEST = 400

#: For commands that take an id: one of our random ids can begin with a `-`.
TAKES_ID = {"ignore_unknown_options": True}

P = ParamSpec("P")
T = TypeVar("T")


class Failure(click.ClickException):
    """What went wrong, in one line for each thing; exit 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.format_message(), file=file or sys.stderr)


class Offline(click.Command):
    """A command that needs no app, and so neither settings nor a database."""


def on_the_app(run: Callable[P, T]) -> Callable[P, T]:
    """Let a command run in its app's context, and tell what fails in one line."""

    @wraps(run)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        with one_line_errors():
            return run(*args, **kwargs)

    return with_appcontext(inside)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what an operator can put right into a `Failure`."""
    try:
        yield
    except ConfigurationError as error:
        raise Failure(str(error)) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise Failure(f"database: {reason[0] if reason else type(error).__name__}") from None


def get_context() -> Context:
    """Return the plugin's context in this app.

    :raises Failure: where Deputize was not added to the app
    """
    extension = current_app.extensions.get("deputize")
    if extension is None:
        raise Failure("this app has no agents: call Deputize(host=...).init_app(app)")
    context: Context = extension.context
    return context


def console() -> Console:
    """Return where to print: a terminal in its width, a pipe with unbroken lines."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(width=width, highlight=False)


def safe(value: object) -> Text:
    """Return somebody's own words as a terminal may show them."""
    return Text(neutralise(str(value), _LONGEST))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print `rows` under `columns`; None is an empty cell."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(safe("" if cell is None else cell) for cell in row))
    console().print(table)


def print_members(members: Iterable[tuple[str, object]]) -> None:
    """Print one thing's members, a line each; what is None or empty is left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in members:
        if value not in (None, "", frozenset(), ()):
            table.add_row(Text(name, style="bold"), safe(value))
    console().print(table)


def person_by_name(context: Context, username: str) -> Person:
    """Return who signs in by that name.

    :raises Failure: where nobody does
    """
    found = context.host.find_person_by_name(username)
    if found is None:
        raise Failure(f"{username}: nobody signs in by that name")
    return found


def person_id_of(context: Context, tx: Transaction, name: str) -> str:
    """Return our id of the person whose user name, key of the host's, or id `name` is.

    :raises Failure: where there is nobody
    """
    known = context.host.find_person_by_name(name)
    keys = {name, known.key} if known else {name}
    found = select(person.c.id).where(or_(person.c.host_key.in_(keys), person.c.id == name))
    person_id = tx.execute(found).scalar()
    if person_id is None:
        raise Failure(f"{name}: nobody of that name, key or id has deputized an agent")
    return str(person_id)


def name_of(context: Context, key: str) -> str:
    """Return what the host calls a person; their key, where it knows them no more."""
    if key.startswith(tombstone("")):
        # The host may take keys of one form alone.
        return key
    found = context.host.find_person(key)
    return found.name if found else key


def seconds_of(option: str, age: str) -> int:
    """Return the duration that an option was given.

    :raises Failure: where it is none
    """
    try:
        return TypeAdapter(Duration).validate_python(age)
    except ValidationError:
        raise Failure(f"{option} {age}: is not a duration such as 90d, 12h or 30m") from None


def moment(seconds: int | None) -> str | None:
    """Return a NumericDate as UTC, to the second."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
