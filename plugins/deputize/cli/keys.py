"""`keys`: the keys that sign our tokens, their rotation and their end."""

import click
from sqlalchemy import select

from ..audit.record import Event, record
from ..core.db import Transaction
from ..declaration.apply import BY
from ..delegation.keys import signing_key
from .shared import TAKES_ID, Failure, get_context, moment, on_the_app, print_table

#: Seconds in which resource servers that keep our key set learn of a new key.
_NOTICE = 600


@click.group("keys")
def keys() -> None:
    """List, rotate and retire the keys that sign tokens."""


@keys.command("list")
@on_the_app
def list_keys() -> None:
    """List the keys, oldest first."""
    with get_context().db.read() as tx:
        rows = _rows(tx)
        signing, now = _signing(rows, tx.now), tx.now
    shown = [
        (kid, moment(made), moment(since), _state(kid, since, retired, signing, now))
        for kid, made, since, retired in rows
    ]
    print_table(("kid", "made", "signs from", "state"), shown)


@keys.command("rotate")
@click.option("--now", "at_once", is_flag=True, help="Sign with it at once, before others know it.")
@on_the_app
def rotate(at_once: bool) -> None:
    """Make a new key; it signs in ten minutes, when resource servers have had time to see it.

    The older ones are published until nothing that they signed is good any more; a sweep
    then retires them.
    """
    context = get_context()
    with context.db.write() as tx:
        signs_from = tx.now if at_once else tx.now + _NOTICE
        kid = context.key_store.make(tx, signs_from)
        record(tx, Event("key.made", facts={"kid": kid, "signs_from": signs_from, "by": BY}))
    click.echo(f"{kid} signs from {moment(signs_from)}")


@keys.command("retire", context_settings=TAKES_ID)
@click.argument("kid")
@on_the_app
def retire(kid: str) -> None:
    """Drop a key now: every token that it signed is good no more."""
    context = get_context()
    with context.db.write() as tx:
        live = [row[0] for row in _rows(tx) if row[3] is None]
        if kid not in live:
            raise Failure(f"{kid}: there is no such key that is not retired")
        if len(live) == 1:
            raise Failure(f"{kid}: is the only key: rotate first")
        context.key_store.retire(tx, kid)
        record(tx, Event("key.retired", facts={"kid": kid, "by": BY}))
    click.echo(f"{kid} is retired")


Row = tuple[str, int, int, int | None]


def _rows(tx: Transaction) -> list[Row]:
    asked = select(signing_key).order_by(signing_key.c.signs_from, signing_key.c.kid)
    return [(r.kid, r.created_at, r.signs_from, r.retired_at) for r in tx.execute(asked)]


def _signing(rows: list[Row], now: int) -> str | None:
    ready = [(since, kid) for kid, _, since, retired in rows if retired is None and since <= now]
    return max(ready)[1] if ready else None


def _state(kid: str, since: int, retired: int | None, signing: str | None, now: int) -> str:
    if retired is not None:
        return f"retired {moment(retired)}"
    if kid == signing:
        return "signs"
    return "waits" if since > now else "verifies"
