"""`audit seal`, `checkpoint`, `verify`, `keys`: the trail that nobody can edit unseen."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from flask import current_app
from sqlalchemy import select

from ..audit.checkpoint_file import as_line, statements_in
from ..audit.findings import Finding, Verdict
from ..audit.keys import find_public_keys
from ..audit.models import audit_key
from ..audit.seal import Sealer, find_newest
from ..audit.statement import NotAStatement, read
from ..audit.verify import verify
from ..web.words import count_of
from .declaration import FILE
from .shared import Failure, get_context, moment, on_the_app, print_table, safe


@click.command("seal")
@on_the_app
def seal_command() -> None:
    """Seal what has happened by now; the workers of a server do so every second."""
    click.echo(f"{count_of(_sealer().seal(), 'event')} sealed")


@click.command("checkpoint")
@on_the_app
def checkpoint_command() -> None:
    """Seal what has happened, and write what proves it later: keep it on another machine."""
    sealer = _sealer()
    sealer.seal()
    with sealer.db.read() as tx:
        signed, keys = find_newest(tx), find_public_keys(tx)
    if signed is None:
        raise Failure("nothing is sealed yet")
    try:
        click.echo(json.dumps(as_line(read(signed, keys)[0], signed)))
    except NotAStatement as error:
        raise Failure(f"the newest seal {error}: see deputize audit verify") from None


@click.command("verify")
@click.option("--against", type=FILE, help="Checkpoints that lay elsewhere, one a line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@on_the_app
def verify_command(against: Path | None, as_json: bool) -> None:
    """Tell whether the trail is what was sealed; exit 1 where it is not.

    It is compared with the checkpoints of FILE, or else with those that this machine keeps.
    """
    context = get_context()
    checkpoints = statements_in(_lines(against))
    if against and not checkpoints:
        raise Failure(f"{against}: no checkpoint in it")
    verdict = verify(context.db, checkpoints, context.settings.audit.late_after)
    if as_json:
        click.echo(json.dumps({"intact": verdict.is_intact, **asdict(verdict)}))
    else:
        for finding in verdict.findings:
            click.echo(safe(_told(finding)).plain)
        click.echo(_summary(verdict))
    if not verdict.is_intact:
        click.get_current_context().exit(1)


@click.command("keys")
@on_the_app
def keys_command() -> None:
    """List the keys that sign seals, oldest first."""
    asked = select(audit_key).order_by(audit_key.c.created_at, audit_key.c.private_jwk.is_not(None))
    with get_context().db.read() as tx:
        rows = tx.execute(asked).all()
    states = ((r.kid, moment(r.created_at), "signs" if r.private_jwk else "verifies") for r in rows)
    print_table(("kid", "made", "state"), list(states))


@click.command("rotate-key")
@on_the_app
def rotate_key_command() -> None:
    """Replace the key that signs seals; the old one can sign nothing any more."""
    click.echo(f"{_sealer().rotate()} signs")


SEAL_COMMANDS = (
    seal_command,
    checkpoint_command,
    verify_command,
    keys_command,
    rotate_key_command,
)


def _sealer() -> Sealer:
    get_context()
    sealer: Sealer = current_app.extensions["deputize"].sealer
    return sealer


def _lines(against: Path | None) -> list[str]:
    kept = _sealer().file
    try:
        if against:
            return against.read_text(errors="replace").splitlines()
        return kept.lines() if kept else []
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None


def _told(finding: Finding) -> str:
    members: dict[str, Any] = {
        "seal": finding.seal,
        "position": finding.position,
        "event": finding.event_id,
    }
    where = ", ".join(f"{name} {value}" for name, value in members.items() if value is not None)
    return f"✕ {finding.kind}: {f'{where}: ' if where else ''}{finding.text}"


def _summary(verdict: Verdict) -> str:
    told = f"{count_of(verdict.events, 'event')} in {count_of(verdict.seals, 'seal')}"
    more = {
        "put away": verdict.put_away,
        "not sealed yet": verdict.waiting,
    }
    told += "".join(f", {number} {what}" for what, number in more.items() if number)
    told += f", {count_of(verdict.checkpoints, 'checkpoint')}"
    if verdict.is_intact:
        return f"intact: {told}"
    found = len(verdict.findings) + verdict.untold
    return f"not intact: {count_of(found, 'finding')}; {told}"
