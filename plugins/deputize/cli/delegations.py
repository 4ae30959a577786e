"""`delegations`: who holds what on whose behalf, through whom; and the end of it."""

import click
from rich.tree import Tree
from sqlalchemy import Select, select

from ..core.db import Transaction
from ..declaration.apply import BY
from ..delegation.context import Context
from ..delegation.liveness import Standing, find_standing, why_dead
from ..delegation.models import delegation, delegation_from_row, person, subtree
from ..delegation.node import Delegation
from ..endings.archive import archive, find_archived
from ..endings.end_delegation import end_delegation, find_delegation
from ..web.words import count_of
from .agents import told_cut
from .shared import (
    TAKES_ID,
    Failure,
    console,
    get_context,
    moment,
    name_of,
    on_the_app,
    person_by_name,
    print_members,
    print_table,
    safe,
    seconds_of,
)


@click.group("delegations")
def delegations() -> None:
    """List delegations; show or end one."""


@delegations.command("list")
@click.option("--person", "username", help="On behalf of this person, by user name.")
@click.option("--agent", "actor", help="Held by this agent, by its client id.")
@click.option("--task", "task_id", help="Of this task.")
@click.option("--all", "ended", is_flag=True, help="Those that have ended, too.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@on_the_app
def list_delegations(
    username: str | None, actor: str | None, task_id: str | None, ended: bool, limit: int
) -> None:
    """List them, newest first."""
    context = get_context()
    asked = select(delegation).order_by(delegation.c.created_at.desc(), delegation.c.path)
    if username:
        asked = asked.join(person, person.c.id == delegation.c.person_id).where(
            person.c.host_key == person_by_name(context, username).key
        )
    if actor:
        asked = asked.where(delegation.c.actor == actor)
    if task_id:
        asked = asked.where(delegation.c.task_id == task_id)
    if not ended:
        asked = asked.where(delegation.c.ended_at.is_(None))
    columns = ("id", "task", "for", "chain", "scope", "target", "expires", "state")
    print_table(columns, _rows(context, asked.limit(limit), ended))


@delegations.command("show", context_settings=TAKES_ID)
@click.argument("delegation_id")
@on_the_app
def show(delegation_id: str) -> None:
    """Show one delegation, whether it lives, and all below it."""
    context = get_context()
    with context.db.read() as tx:
        node = find_delegation(tx, delegation_id) or find_archived(tx, delegation_id)
        if node is None:
            raise Failure(f"{delegation_id}: there is no such delegation")
        standing, below = find_standing(tx, delegation_id), _below(tx, node)
        subject, now = _subject_of(tx, node), tx.now
    print_members(
        [
            ("delegation", node.id),
            ("state", state_of(standing, now) if standing else "archived"),
            ("for", name_of(context, subject)),
            ("chain", " → ".join(node.chain)),
            ("scope", " ".join(sorted(node.scope))),
            ("target", node.target),
            ("resources", " ".join(sorted(node.resources))),
            ("pass on to", " ".join(sorted(node.pass_on))),
            ("task", node.task_id),
            ("made", moment(node.created_at)),
            ("expires", moment(node.expires_at)),
            ("ended", moment(node.ended_at)),
            ("why", node.ended_why),
        ]
    )
    if len(below) > 1:
        console().print(_tree(below))


@delegations.command("end", context_settings=TAKES_ID)
@click.argument("delegation_id")
@on_the_app
def end(delegation_id: str) -> None:
    """End a delegation and all below it, now; ending the root ends its task."""
    db = get_context().db
    with db.read() as tx:
        node = find_delegation(tx, delegation_id)
    if node is None:
        raise Failure(f"{delegation_id}: there is no such delegation")
    ended = end_delegation(db, delegation_id, why="ended_by_operator", by=BY)
    click.echo(told_cut(ended) if ended.nodes else "it had ended already")


@delegations.command("archive")
@click.option(
    "--older-than",
    "age",
    default="90d",
    show_default=True,
    help="Those that ended or expired so long ago: such as 90d or 12h.",
)
@on_the_app
def archive_command(age: str) -> None:
    """Put away what ended long ago; `show` finds it, and its events stay."""
    db = get_context().db
    seconds = seconds_of("--older-than", age)
    with db.read() as tx:
        before = tx.now - seconds
    click.echo(f"{count_of(archive(db, before=before), 'delegation')} archived")


def _subject_of(tx: Transaction, node: Delegation) -> str:
    return str(tx.execute(select(person.c.host_key).where(person.c.id == node.person_id)).scalar())


def state_of(standing: Standing | None, now: int) -> str:
    """Return `live`, or the rule by which the delegation is not."""
    dead = why_dead(standing, now)
    if dead is None:
        return "live"
    why = standing.node.ended_why if standing else None
    return f"{dead} ({why})" if why else dead


def _rows(
    context: Context, asked: Select[tuple[object, ...]], ended: bool
) -> list[tuple[object, ...]]:
    with context.db.read() as tx:
        nodes = [delegation_from_row(row) for row in tx.execute(asked).mappings().all()]
        standing = {node.id: find_standing(tx, node.id) for node in nodes}
        states = {node.id: state_of(standing[node.id], tx.now) for node in nodes}
    return [
        (
            node.id,
            node.task_id,
            name_of(context, found.subject) if found else "",
            " → ".join(node.chain),
            " ".join(sorted(node.scope)),
            node.target,
            moment(node.expires_at),
            states[node.id],
        )
        for node, found in ((node, standing[node.id]) for node in nodes)
        if ended or states[node.id] == "live"
    ]


def _below(tx: Transaction, top: Delegation) -> list[Delegation]:
    low, high = subtree(top.path)
    asked = select(delegation).where(delegation.c.path >= low, delegation.c.path < high)
    rows = tx.execute(asked.order_by(delegation.c.path)).mappings()
    return [delegation_from_row(row) for row in rows]


def _tree(nodes: list[Delegation]) -> Tree:
    branches: dict[str | None, Tree] = {}
    for node in nodes:
        label = safe(f"{node.actor}: {' '.join(sorted(node.scope))} at {node.target} ({node.id})")
        if node.ended_at is not None:
            label.stylize("dim")
            label.append(f", ended ({node.ended_why})")
        above = branches.get(node.parent_id)
        branches[node.id] = Tree(label) if above is None else above.add(label)
    return branches[nodes[0].id]
