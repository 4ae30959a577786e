"""The catalogue is edited; a scope or server taken out leaves every delegation it was in.

Under the catalogue's own lock, which every mint holds shared: no mint that read the
older catalogue can commit after the edit has looked at what is held.
"""

from collections.abc import Callable
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, Table, insert, select, update

from ..audit.record import Event, record
from ..catalogue.models import ResourceServer, Scope, resource_server, scope
from ..core.db import Database, Kind, Lock, Transaction
from ..core.versions import raise_version
from ..delegation.models import delegation, delegation_from_row, delegation_to_row
from ..delegation.node import Delegation
from .cut import cut

_LOCKS = (Lock(Kind.CATALOGUE, "", exclusive=True),)


def declare_server(db: Database, server: ResourceServer) -> bool:
    """Store `server`; tell whether anything changed. Its identifier is its name."""
    return _declare(db, resource_server, resource_server.c.identifier == server.identifier, server)


def declare_scope(db: Database, declared: Scope) -> bool:
    """Store `declared`; tell whether anything changed.

    A scope that moves to another resource server is taken out of what holds it.
    """

    def moved(before: dict[str, object], tx: Transaction) -> None:
        if before["resource"] != declared.resource:
            _take_out(tx, "scope_moved", lambda n: replace(n, scope=n.scope - {declared.name}))

    return _declare(db, scope, scope.c.name == declared.name, declared, moved)


def retire_scope(db: Database, name: str) -> bool:
    """Take the scope out of the catalogue and of every delegation; tell whether it was there."""
    with db.write(_LOCKS) as tx:
        if not _retire(tx, scope, scope.c.name == name):
            return False
        _take_out(tx, "scope_retired", lambda n: replace(n, scope=n.scope - {name}))
        return True


def retire_server(db: Database, identifier: str) -> bool:
    """Retire the resource server with its scopes; tell whether it was there."""
    with db.write(_LOCKS) as tx:
        if not _retire(tx, resource_server, resource_server.c.identifier == identifier):
            return False
        of_it = select(scope.c.name).where(scope.c.resource == identifier)
        names = frozenset(tx.execute(of_it).scalars())
        _retire(tx, scope, scope.c.resource == identifier)
        _take_out(
            tx,
            "server_retired",
            lambda n: replace(n, scope=n.scope - names, resources=n.resources - {identifier}),
        )
        return True


def _declare(
    db: Database,
    table: Table,
    this: ColumnElement[bool],
    declared: ResourceServer | Scope,
    changed: Callable[[dict[str, object], Transaction], None] = lambda *_: None,
) -> bool:
    with db.write(_LOCKS) as tx:
        before = tx.execute(select(table).where(this)).mappings().first()
        row = asdict(declared)
        if before is not None and dict(before) == row:
            return False
        if before is None:
            tx.execute(insert(table), row)
        else:
            tx.execute(update(table).where(this).values(**row))
            changed(dict(before), tx)
        _told(tx, "catalogue.declared", table, row)
        return True


def _retire(tx: Transaction, table: Table, this: ColumnElement[bool]) -> bool:
    live = this & table.c.retired_at.is_(None)
    retired = tx.execute(update(table).where(live).values(retired_at=tx.now)).rowcount
    _told(tx, "catalogue.retired", table, {})
    return retired > 0


def _told(tx: Transaction, kind: str, table: Table, row: dict[str, object]) -> None:
    raise_version(tx, "catalogue")
    name = row.get("identifier") or row.get("name")
    record(tx, Event(kind, facts={"table": table.name, "name": name}))


def _take_out(tx: Transaction, why: str, fit: Callable[[Delegation], Delegation]) -> None:
    # Catalogue edits are rare, and every live delegation may hold what is taken out.
    live = select(delegation).where(delegation.c.ended_at.is_(None)).order_by(delegation.c.path)
    for node in [delegation_from_row(row) for row in tx.execute(live).mappings()]:
        fitted = fit(node)
        if fitted != node:
            store_fitted(tx, node, fitted, why)


def store_fitted(
    tx: Transaction, node: Delegation, fitted: Delegation, why: str, by: str | None = None
) -> None:
    """Store what is left of `node`; one left with nothing ends, with all below it.

    A node that shrank is never found again by the request that made it.
    """
    lost_target = node.target in node.resources - fitted.resources
    if lost_target or not fitted.scope or fitted.depth > fitted.max_depth:
        cut(tx, [node], why, by)
    elif fitted != node:
        row = delegation_to_row(replace(fitted, lease_hash=None))
        tx.execute(update(delegation).where(delegation.c.id == node.id).values(**row))
