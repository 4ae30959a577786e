"""`passkeys`: the keys that people sign with; and their end, where somebody has lost all."""

import click
from sqlalchemy import select

from ..declaration.apply import BY
from ..delegation.context import Context
from ..delegation.models import person
from ..endings.remove_passkey import remove_passkey
from ..passkeys.models import Passkey, find_passkey, passkey, passkey_from_row
from .shared import (
    TAKES_ID,
    Failure,
    get_context,
    moment,
    name_of,
    on_the_app,
    person_by_name,
    print_table,
)


@click.group("passkeys")
def passkeys() -> None:
    """List passkeys; remove one for somebody who can't."""


@passkeys.command("list")
@click.option("--person", "username", help="Of this person, by user name.")
@click.option("--all", "removed", is_flag=True, help="Those that were removed, too.")
@on_the_app
def list_passkeys(username: str | None, removed: bool) -> None:
    """List them, oldest first."""
    context = get_context()
    asked = select(passkey, person.c.host_key).join(person, person.c.id == passkey.c.person_id)
    if not removed:
        asked = asked.where(passkey.c.removed_at.is_(None))
    with context.db.read() as tx:
        if username:
            asked = asked.where(person.c.host_key == person_by_name(context, username).key)
        found = tx.execute(asked.order_by(passkey.c.created_at, passkey.c.id)).mappings().all()
        now = tx.now
    rows = [(passkey_from_row(row), row["host_key"]) for row in found]
    columns = ("id", "of", "name", "added", "last used", "state")
    print_table(columns, [_row(context, one, key, now) for one, key in rows])


@passkeys.command("remove", context_settings=TAKES_ID)
@click.argument("passkey_id")
@on_the_app
def remove(passkey_id: str) -> None:
    """Remove one: it signs nothing any more, and what waits on it is withdrawn.

    For somebody who has lost all of theirs. A new one counts after the usual delay.
    """
    db = get_context().db
    with db.read() as tx:
        found = find_passkey(tx, passkey_id)
    if found is None:
        raise Failure(f"{passkey_id}: there is no such passkey")
    click.echo("removed" if remove_passkey(db, found, by=BY) else "it was removed already")


def _row(context: Context, one: Passkey, key: str, now: int) -> tuple[object, ...]:
    used = moment(one.last_used_at)
    return one.id, name_of(context, key), one.name, moment(one.created_at), used, _state(one, now)


def _state(one: Passkey, now: int) -> str:
    if one.removed_at is not None:
        return f"removed {moment(one.removed_at)}"
    return "counts" if one.counts(now) else f"counts from {moment(one.counts_from)}"
