"""Applies one declaration to both: people and clients first, then what agents need.

A mistake anywhere in the file leaves both as they were. Called in the app's context.
"""

from collections.abc import Iterator

from sqlalchemy import select

from deputize.declaration.apply import Change, carry_out, plan
from deputize.declaration.read import AGENTS, CLIENTS, SERVERS, Declaration
from deputize.declaration.stored import read_stored
from deputize.delegation.context import Context
from deputize.endings.person_left import person_left
from deputize.typed_toml import raise_mistakes

from .clients import Client
from .database import db
from .declaration import declare_people_and_clients, one_transaction
from .people import Person


def apply(
    context: Context, declaration: Declaration, *, dry_run: bool, prune: bool
) -> list[Change]:
    """Bring both to what is declared; what became of each entry.

    :raises ConfigurationError: one line for each mistake, with file, entry and key.
    """
    with one_transaction(keep=not dry_run):
        raise_mistakes([*_two_kinds(context, declaration)])
        changes = declare_people_and_clients(declaration, prune=prune)
        steps = plan(context, declaration, prune=prune)
    if dry_run:
        return [*changes, *(step.change for step in steps)]
    changes += carry_out(steps)
    _end_what_was_done_for_those_who_left(context)
    return changes


def _two_kinds(context: Context, declaration: Declaration) -> Iterator[str]:
    """One namespace: a client of this host is never an agent or a resource server."""
    stored = read_stored(context.db)
    of_servers = {server.client_id for server in stored.servers.values()}
    for client in declaration.clients:
        client_id = str(client.get("client_id"))
        if client_id in stored.agents or client_id in of_servers:
            text = "client_id: is already an agent's or a resource server's"
            yield declaration.line(CLIENTS, client_id, text)
    named = [(AGENTS, agent.client_id, agent.client_id) for agent in declaration.agents]
    named += [(SERVERS, s.identifier, s.client_id) for s in declaration.servers]
    for kind, name, client_id in named:
        if db.session.get(Client, client_id) is not None:
            text = f"client_id: {client_id} is already an ordinary client"
            yield declaration.line(kind, name, text)


def _end_what_was_done_for_those_who_left(context: Context) -> None:
    # All that are inactive, not only those of this run: one that was cut short is made good.
    for person_id in db.session.scalars(select(Person.id).where(Person.active.is_(False))):
        person_left(context.db, person_id, why="inactive")
