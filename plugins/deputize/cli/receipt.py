"""`receipt`: what a task leaves, made here, and checked anywhere by the public keys alone."""

import json
from pathlib import Path

import click
from flask import current_app
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ..receipts.make import NoReceipt, make_receipt
from ..receipts.receipt import Checked, NotAReceipt, check_receipt
from ..web.words import count_of
from .declaration import FILE
from .shared import TAKES_ID, Failure, Offline, get_context, moment, on_the_app


@click.group("receipt")
def receipt() -> None:
    """Make a task's receipt, or check one."""


@receipt.command("make", context_settings=TAKES_ID)
@click.argument("task_id")
@on_the_app
def make_command(task_id: str) -> None:
    """Write the receipt of a task that has ended."""
    get_context()
    try:
        click.echo(make_receipt(current_app.extensions["deputize"].sealer, task_id))
    except NoReceipt as error:
        raise Failure(f"{task_id}: {error}") from None


@receipt.command("verify", cls=Offline)
@click.argument("file", type=FILE)
@click.option("--keys", type=FILE, required=True, help="The trail's public keys: a JWK set.")
def verify_command(file: Path, keys: Path) -> None:
    """Tell what a receipt proves, by the keys alone; exit 1 where that is nothing.

    The keys are what the server publishes at /deputize/audit/jwks.
    """
    try:
        checked = check_receipt(_read(file), _keys(keys))
    except NotAReceipt as error:
        raise Failure(f"{file}: {error}") from None
    for line in _told(checked):
        click.echo(line)


def _told(checked: Checked) -> list[str]:
    task = checked.task
    ended = moment(task["ended_at"])
    signed = f"{count_of(len(checked.signed), 'decision')} signed with a passkey"
    lines = [
        f"good: task {task['task_id']} of {task['agent']}, {task['status']} {ended}",
        f"for {task['person_id']}, at {checked.issuer}",
        f"{count_of(len(checked.events), 'event')} as sealed, {signed}",
        f"made {moment(checked.made_at)}, whole up to position {checked.sealed_through}",
    ]
    return [*lines, *(f"{moment(e.event['at'])} {e.event['kind']}" for e in checked.events)]


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from None


def _keys(file: Path) -> dict[str, ECKey]:
    """Return the keys of a JWK set by their thumbprints, which is how a receipt names them."""
    try:
        keys = [ECKey.import_key(jwk) for jwk in json.loads(_read(file))["keys"]]
    except (JoseError, ValueError, TypeError, KeyError):
        raise Failure(f"{file}: no JWK set of keys on a curve") from None
    return {key.thumbprint(): key for key in keys}
