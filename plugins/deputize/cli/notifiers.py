"""`notifiers`: the ways in which people are told that an agent waits, tried from here."""

import click

from ..approvals.notifiers import wording
from ..approvals.notifiers.address import find_address, show_address
from ..approvals.said_back import APPROVALS_PAGE
from ..core.secrets import new_id
from ..delegation.context import Context
from ..outbox.channel import Channel, Message
from ..outbox.delivery import NotDelivered
from .shared import Failure, get_context, on_the_app, person_by_name


@click.group("notifiers")
def notifiers() -> None:
    """Try the ways in which people are told that an agent waits."""


@notifiers.command("test")
@click.argument("person")
@on_the_app
def test(person: str) -> None:
    """Send PERSON, a user name, a test by each channel that is on, now; exit 1 if one fails."""
    context = get_context()
    known = person_by_name(context, person)
    if not context.channels:
        raise Failure("no channel is on: name some in [deputize.notify] channels")
    failed = [
        name
        for name, channel in context.channels.items()
        if not _is_sent(context, known.key, name, channel)
    ]
    if failed:
        raise click.exceptions.Exit(1)


def _is_sent(context: Context, key: str, name: str, channel: Channel) -> bool:
    address = find_address(context, key, name) if channel.is_personal else ""
    where = show_address(context, key, name) if address else channel.where
    if channel.is_personal and not address:
        click.echo(f"✕ {name}: the host knows no address")
        return False
    try:
        channel.send(address, _test(context, key))
    except NotDelivered as failure:
        click.echo(f"✕ {name}: {where}: {failure}")
        return False
    click.echo(f"● {name}: {where}: sent")
    return True


def _test(context: Context, key: str) -> Message:
    with context.db.read() as tx:
        now = tx.now
    url = context.issuer + APPROVALS_PAGE
    return Message(new_id(), "notify.test", now, *wording.test(), url, key)
