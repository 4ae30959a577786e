"""Brings the database to what a declaration says; the same again changes nothing.

Everything is compared first, and each difference is one step; a dry run stops there.
Steps only tighten what a kill switch ended: a suspended agent stays suspended, and
what an edit took out of a delegation is not given back.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

from ..agents.declare import declare_agent
from ..agents.lifecycle import Status
from ..agents.models import Agent
from ..catalogue.details import DetailsType
from ..catalogue.models import ResourceServer, Scope
from ..core.db import Database
from ..core.refusal import Refusal
from ..delegation.context import Context
from ..endings.edit_agent import edit_agent
from ..endings.edit_catalogue import (
    declare_details_type,
    declare_scope,
    declare_server,
    retire_details_type,
    retire_scope,
    retire_server,
)
from ..endings.stop_agent import start_agent, stop_agent
from ..part import ConfigurationError
from .read import Declaration
from .resolve import Resolving, Rows
from .stored import Stored, read_stored

#: Who did it, in the audit trail: no client id and no person's id has a space.
BY = "command line"

_DETAILS_TYPE = "type of authorization details"
_UNTOLD = (
    "retired_at",
    "revision",
    "status",
    "origin",
    "created_at",
    "retiring",
    "retiring_until",
)
_SECRET = ("secret_digest", "jwks")


class Action(StrEnum):
    """What becomes of one entry."""

    ADDED = "added"
    CHANGED = "changed"
    ADOPTED = "adopted"
    RETIRED = "retired"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Difference:
    """One member of an entry, as it was and as it is declared; secrets are never told."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """What becomes of one entry."""

    kind: str
    name: str
    action: Action
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Step:
    """A change, and what makes it."""

    change: Change
    make: Callable[[], object] = lambda: None


def plan(context: Context, declaration: Declaration, *, prune: bool = False) -> list[Step]:
    """Compare `declaration` with the database; nothing is written.

    :raises ConfigurationError: one line for each mistake
    """
    stored = read_stored(context.db)
    rows = Resolving(context, declaration, stored, prune).rows()
    steps = [
        *(_server(context.db, stored, row) for row in rows.servers),
        *(_scope(context.db, stored, row) for row in rows.scopes),
        *(_details_type(context.db, stored, row) for row in rows.details_types),
        # A blueprint stands before its instances do.
        *(_agent(context.db, stored, row) for row in sorted(rows.agents, key=_is_instance)),
    ]
    return [*steps, *_retirements(context.db, stored, rows)] if prune else steps


def carry_out(steps: Iterable[Step]) -> list[Change]:
    """Make each change in a transaction of its own; return all of them.

    A run that is cut short is finished by the next.
    """
    changes = []
    for step in steps:
        if step.change.action != Action.UNCHANGED:
            step.make()
        changes.append(step.change)
    return changes


def _server(db: Database, stored: Stored, row: ResourceServer) -> Step:
    before = stored.live_servers.get(row.identifier)
    change = compare("resource server", row.identifier, before, row)
    return Step(change, partial(declare_server, db, row))


def _scope(db: Database, stored: Stored, row: Scope) -> Step:
    change = compare("scope", row.name, stored.live_scopes.get(row.name), row)
    return Step(change, partial(declare_scope, db, row))


def _details_type(db: Database, stored: Stored, row: DetailsType) -> Step:
    change = compare(_DETAILS_TYPE, row.type, stored.live_details_types.get(row.type), row)
    return Step(change, partial(declare_details_type, db, row))


def _is_instance(row: Agent) -> bool:
    return row.blueprint is not None


def _agent(db: Database, stored: Stored, row: Agent) -> Step:
    before = stored.agents.get(row.client_id)
    change = compare("agent", row.client_id, before, row)
    if before is None:
        return Step(change, partial(_declare_agent, db, row))
    if before.status == Status.PENDING:
        adopted = Change(change.kind, change.name, Action.ADOPTED, change.differences)
        return Step(adopted, partial(_adopt, db, row))
    return Step(change, partial(edit_agent, db, row, by=BY))


def _declare_agent(db: Database, row: Agent) -> None:
    try:
        declare_agent(db, row, by=BY)
    except Refusal:
        text = f"agent {row.client_id}: was declared by somebody else meanwhile: apply again"
        raise ConfigurationError(text) from None


def _adopt(db: Database, row: Agent) -> None:
    # The ceiling first: it must stand before the agent can get anything.
    edit_agent(db, row, by=BY)
    start_agent(db, row.client_id, by=BY)


def _retirements(db: Database, stored: Stored, rows: Rows) -> Iterator[Step]:
    for client_id in sorted(stored.standing_agents.keys() - {a.client_id for a in rows.agents}):
        make = partial(stop_agent, db, client_id, Status.RETIRED, why="undeclared", by=BY)
        yield _retirement("agent", client_id, make)
    declared = {t.type for t in rows.details_types}
    for name in sorted(stored.live_details_types.keys() - declared):
        yield _retirement(_DETAILS_TYPE, name, partial(retire_details_type, db, name))
    for name in sorted(stored.live_scopes.keys() - {s.name for s in rows.scopes}):
        yield _retirement("scope", name, partial(retire_scope, db, name))
    for name in sorted(stored.live_servers.keys() - {s.identifier for s in rows.servers}):
        yield _retirement("resource server", name, partial(retire_server, db, name))


def _retirement(kind: str, name: str, make: Callable[[], object]) -> Step:
    return Step(Change(kind, name, Action.RETIRED), make)


def compare(kind: str, name: str, before: Any, after: Any) -> Change:
    """Return what becomes of the row `before`, None where there is none."""
    if before is None:
        return Change(kind, name, Action.ADDED)
    differences = tuple(_differences(before, after))
    return Change(kind, name, Action.CHANGED if differences else Action.UNCHANGED, differences)


def _differences(before: Any, after: Any) -> Iterator[Difference]:
    for column in fields(before):
        old, new = getattr(before, column.name), getattr(after, column.name)
        if old != new and column.name not in _UNTOLD:
            if column.name in _SECRET:
                yield Difference(column.name, "…", "another")
            else:
                told = _time_told if column.name == "expires_at" else _told
                yield Difference(column.name, told(old), told(new))


def _told(value: Any) -> str:
    if isinstance(value, frozenset | tuple):
        return " ".join(sorted(value)) or "none"
    return "none" if value is None else str(value)


def _time_told(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
