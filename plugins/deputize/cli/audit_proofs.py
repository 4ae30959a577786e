"""`audit prove`, `verify-proof`: one event, shown to somebody who may see no other."""

import json
from pathlib import Path

import click

from ..audit.keys import find_public_keys
from ..audit.prove import NotProved, check, prove
from .declaration import FILE
from .shared import TAKES_ID, Failure, get_context, moment, on_the_app


@click.command("prove", context_settings=TAKES_ID)
@click.argument("event_id")
@on_the_app
def prove_command(event_id: str) -> None:
    """Write one event with what proves that it was sealed, and when."""
    with get_context().db.read() as tx:
        try:
            click.echo(json.dumps(prove(tx, event_id)))
        except NotProved as error:
            raise Failure(f"{event_id}: {error}") from None


@click.command("verify-proof")
@click.argument("file", type=FILE)
@on_the_app
def verify_proof_command(file: Path) -> None:
    """Tell what a proof of this trail proves; exit 1 where it is nothing."""
    with get_context().db.read() as tx:
        keys = find_public_keys(tx)
    try:
        proved = check(json.loads(file.read_text()), keys)
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from None
    except NotProved as error:
        raise Failure(f"{file}: {error}") from None
    except (ValueError, RecursionError):
        raise Failure(f"{file}: is no proof") from None
    sealed = moment(proved.statement.sealed_at)
    click.echo(f"sealed {sealed}, at position {proved.position} of {proved.statement.issuer}")
    click.echo(json.dumps(proved.event, sort_keys=True))


PROOF_COMMANDS = (prove_command, verify_proof_command)
