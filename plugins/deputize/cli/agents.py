"""`agents`: who they are, and every way to stop one, or to let one in."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from ..agents.lifecycle import Status
from ..agents.models import Agent, agent, agent_from_row, find_agent
from ..agents.rotate import rotate_secret
from ..core.db import Database
from ..declaration.apply import BY, carry_out, plan
from ..declaration.form import AgentTable
from ..declaration.read import AGENTS, Declaration, read_entries
from ..declaration.tell import told
from ..endings.cut import Cut
from ..endings.stop_agent import start_agent, stop_agent
from ..host import Host
from ..typed_toml import raise_mistakes
from ..web.words import count_of
from .shared import (
    Failure,
    get_context,
    moment,
    on_the_app,
    print_members,
    print_table,
    seconds_of,
)


@click.group("agents")
def agents() -> None:
    """List agents; suspend, resume, retire or adopt one."""


@agents.command("list")
@click.option(
    "--status",
    type=click.Choice([status.value for status in Status]),
    help="Only those of this status.",
)
@on_the_app
def list_agents(status: str | None) -> None:
    """List every agent, by its client id."""
    context = get_context()
    asked = select(agent).order_by(agent.c.client_id)
    if status:
        asked = asked.where(agent.c.status == status)
    with context.db.read() as tx:
        found = [agent_from_row(row) for row in tx.execute(asked).mappings()]
        now = tx.now
    print_table(
        ("client_id", "name", "status", "owner", "origin", "expires", "scopes"),
        [
            (
                a.client_id,
                a.name,
                _status(a, now),
                _name_of(context.host, a.owner),
                a.origin,
                moment(a.expires_at),
                " ".join(sorted(a.scope)),
            )
            for a in found
        ],
    )


@agents.command("show")
@click.argument("client_id")
@on_the_app
def show(client_id: str) -> None:
    """Show one registration. Its secret is nowhere to be shown."""
    context = get_context()
    with context.db.read() as tx:
        found, now = find_agent(tx, client_id), tx.now
    if found is None:
        raise Failure(f"{client_id}: there is no such agent")
    print_members(
        [
            ("client_id", found.client_id),
            ("name", found.name),
            ("status", _status(found, now)),
            ("owner", _name_of(context.host, found.owner)),
            ("acts only for", _name_of(context.host, found.only_for)),
            ("sponsor", _name_of(context.host, found.sponsor)),
            ("purpose", found.purpose),
            ("model", found.model),
            ("vendor", found.vendor),
            ("software_version", found.software_version),
            ("origin", found.origin),
            ("blueprint", found.blueprint),
            ("parent", found.parent),
            ("task", found.task_id),
            ("registered", moment(found.created_at)),
            ("expires", moment(found.expires_at)),
            ("scopes", " ".join(sorted(found.scope))),
            ("resources", " ".join(sorted(found.resources))),
            ("delegates_to", " ".join(sorted(found.delegates_to))),
            ("max_delegation_depth", found.max_delegation_depth),
            ("grant_types", " ".join(sorted(found.grant_types))),
            ("redirect_uris", " ".join(found.redirect_uris)),
            ("authenticates by", found.token_endpoint_auth_method),
            ("asks by", "pushed requests" if found.require_pushed_authorization_requests else None),
        ]
    )


@agents.command("suspend")
@click.argument("client_id")
@on_the_app
def suspend(client_id: str) -> None:
    """Stop an agent now, with all that it holds; it can be resumed."""
    _stop(client_id, Status.SUSPENDED)


@agents.command("retire")
@click.argument("client_id")
@on_the_app
def retire(client_id: str) -> None:
    """Stop an agent for good, with all that it holds."""
    _stop(client_id, Status.RETIRED)


@agents.command("resume")
@click.argument("client_id")
@on_the_app
def resume(client_id: str) -> None:
    """Let a suspended agent get authority anew; what ended stays ended."""
    db = get_context().db
    _require(db, client_id, Status.SUSPENDED)
    if not start_agent(db, client_id, by=BY):
        raise Failure(f"{client_id}: its owner has left, or its blueprint was stopped: first that")
    click.echo(f"{client_id} is active; what its suspension ended stays ended")


@agents.command("rotate")
@click.argument("client_id")
@click.option("--overlap", help='While the old secret is good, too: such as "1d".')
@on_the_app
def rotate(client_id: str, overlap: str | None) -> None:
    """Give an agent a new secret, printed this once; those with keys declare new ones."""
    db = get_context().db
    secret = rotate_secret(db, client_id, seconds_of("--overlap", overlap) if overlap else 0, by=BY)
    if secret is None:
        raise Failure(f"{client_id}: there is no such agent, or none that has a secret")
    click.echo(secret)


@agents.command("adopt")
@click.argument("client_id")
@click.option("--owner", required=True, help="The person who answers for it, by user name.")
@click.option("--sponsor", help="Another person who does.")
@click.option("--scope", "scopes", multiple=True, help="In its ceiling; repeat it.")
@click.option("--resource", "resources", multiple=True, help="Default: those of its scopes.")
@click.option("--delegates-to", multiple=True, help="Whom it may hand over to; default: spawned.")
@click.option("--max-delegation-depth", type=click.IntRange(1, 16))
@click.option("--expires-in", help='From its registration on, such as "90d".')
@on_the_app
def adopt(client_id: str, **members: Any) -> None:
    """Let in an agent that registered itself: give it an owner and a ceiling."""
    context = get_context()
    _require_unconfirmed(context.db, client_id)
    given = {n: list(v) if isinstance(v, tuple) else v for n, v in members.items() if v}
    lines: list[str] = []
    place = Path("command line")
    entry = {"client_id": client_id, **given}
    tables = read_entries(place, AGENTS, (entry,), AgentTable, lines)
    raise_mistakes(lines)
    for line in told(carry_out(plan(context, Declaration(place, agents=tables)))):
        click.echo(line)


def _stop(client_id: str, target: Status) -> None:
    db = get_context().db
    ended = stop_agent(db, client_id, target, why=str(target), by=BY)
    if ended is None:
        raise Failure(f"{client_id}: {_refusal(db, client_id, target)}")
    click.echo(f"{client_id} is {target}; {told_cut(ended)}")


def told_cut(ended: Cut) -> str:
    """Return what an ending ended, in words."""
    parts = [f"{count_of(ended.nodes, 'delegation')} ended"]
    if ended.agents:
        parts.append(f"{count_of(len(ended.agents), 'spawned agent')} retired")
    return ", ".join(parts)


def _require_unconfirmed(db: Database, client_id: str) -> None:
    with db.read() as tx:
        found = find_agent(tx, client_id)
    if found is None or found.only_for is None:
        _require(db, client_id, Status.PENDING)


def _require(db: Database, client_id: str, status: Status) -> None:
    with db.read() as tx:
        found = find_agent(tx, client_id)
    if found is None:
        raise Failure(f"{client_id}: there is no such agent")
    if found.status != status:
        raise Failure(f"{client_id}: is {found.status}, not {status}")


def _refusal(db: Database, client_id: str, target: Status) -> str:
    with db.read() as tx:
        found = find_agent(tx, client_id)
    return f"is {found.status}: it can't become {target}" if found else "there is no such agent"


def _status(found: Agent, now: int) -> str:
    expired = found.status == Status.ACTIVE and now >= found.expires_at
    return "expired" if expired else found.status


def _name_of(host: Host, key: str | None) -> str | None:
    found = host.find_person(key) if key else None
    return found.name if found else key
