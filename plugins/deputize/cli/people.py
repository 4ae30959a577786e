"""`people`: whoever has deputized an agent; and the removal of what is personal of them."""

import click
from sqlalchemy import select

from ..declaration.apply import BY
from ..delegation.models import person
from ..endings.erase_person import erase_person
from .agents import told_cut
from .shared import TAKES_ID, get_context, name_of, on_the_app, person_id_of

_ASK = "Erase {}? All that agents do for them ends, and none of it can be undone"
_REWRITTEN = "the database's file was rewritten: nothing of them is left in its bytes"
_LOG_KEPT = "something reads the database: its log still holds old pages. Erase once more, by {}"
_POSTGRESQL = "old pages are the database's: VACUUM FULL the tables that docs/audit.md names"


@click.group("people")
def people() -> None:
    """People, as far as agents act for them."""


@people.command("erase", context_settings=TAKES_ID)
@click.argument("who", metavar="PERSON")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@on_the_app
def erase(who: str, is_sure: bool) -> None:
    """End all that agents do for PERSON, and remove what is personal of them.

    PERSON is a user name, the host's key, or our id. Their events stay, under an id that
    nobody can tell the person by any more.
    """
    context = get_context()
    with context.db.read() as tx:
        person_id = person_id_of(context, tx, who)
        key = tx.execute(select(person.c.host_key).where(person.c.id == person_id)).scalar_one()
    if not is_sure:
        click.confirm(_ASK.format(name_of(context, key)), abort=True)
    click.echo(told_cut(erase_person(context.db, person_id, by=BY)))
    is_rewritten = context.db.rewrite()
    click.echo(f"erased; the trail calls them {person_id}")
    unfinished = _LOG_KEPT.format(person_id) if context.db.is_sqlite else _POSTGRESQL
    click.echo(_REWRITTEN if is_rewritten else unfinished)
