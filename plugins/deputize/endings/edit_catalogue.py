"""The catalogue is edited; a scope or server taken out leaves every delegation it was in.

Under the catalogue's own lock, which every mint holds shared: no mint that read the
older catalogue can commit after the edit has looked at what is held.
"""

from collections.abc import Callable
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, Table, insert, select, update

from ..audit.record import Event, record
from ..catalogue.details import DetailsType
from ..catalogue.models import (
    ResourceServer,
    Scope,
    details_type,
    load_types,
    resource_server,
    scope,
)
from ..core.db import Database, Kind, Lock, Transaction
from ..core.versions import raise_version
from ..delegation.details import Types, fit_details, read_details
from ..delegation.models import code, delegation, delegation_from_row, delegation_to_row
from ..delegation.node import Delegation
from .cut import cut, withdraw_codes

Changed = Callable[[dict[str, object], Transaction], None]

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


def declare_details_type(db: Database, declared: DetailsType) -> bool:
    """Store `declared`; tell whether anything changed.

    What is no more as the type says leaves what holds it, and so does a scope that it binds
    from now on and that is held without a detail.
    """

    def changed(before: dict[str, object], tx: Transaction) -> None:
        if before["scope"] != declared.scope:
            _unbind(tx, declared.type, str(before["scope"]))

    with db.write(_LOCKS) as tx:
        this = details_type.c.type == declared.type
        if not _store(tx, details_type, this, declared, changed):
            return False
        _take_out(tx, "details_type_edited", lambda node: node)
        return True


def retire_details_type(db: Database, name: str) -> bool:
    """Take the type out of the catalogue, and its scope out of what holds a detail of it."""
    with db.write(_LOCKS) as tx:
        known = load_types(tx).get(name)
        if known is None or not _retire(tx, details_type, details_type.c.type == name):
            return False
        _unbind(tx, name, known.scope)
        return True


def _unbind(tx: Transaction, name: str, scope: str) -> None:
    # Without its type a detail bounds nothing any more, and its scope would be held unbounded.
    withdraw_codes(tx, code.c.details.is_not(None))

    def without(node: Delegation) -> Delegation:
        holds = any(detail["type"] == name for detail in read_details(node.details))
        return replace(node, scope=node.scope - {scope}) if holds else node

    _take_out(tx, "details_type_retired", without)


def _declare(
    db: Database,
    table: Table,
    this: ColumnElement[bool],
    declared: ResourceServer | Scope,
    changed: Changed = lambda *_: None,
) -> bool:
    with db.write(_LOCKS) as tx:
        return _store(tx, table, this, declared, changed)


def _store(
    tx: Transaction,
    table: Table,
    this: ColumnElement[bool],
    declared: ResourceServer | Scope | DetailsType,
    changed: Changed,
) -> bool:
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
    name = row.get("identifier") or row.get("name") or row.get("type")
    record(tx, Event(kind, facts={"table": table.name, "name": name}))


def _take_out(tx: Transaction, why: str, fit: Callable[[Delegation], Delegation]) -> None:
    # Catalogue edits are rare, and every live delegation may hold what is taken out.
    live = select(delegation).where(delegation.c.ended_at.is_(None)).order_by(delegation.c.path)
    types = load_types(tx)
    for node in [delegation_from_row(row) for row in tx.execute(live).mappings()]:
        fitted = with_details_that_fit(fit(node), types)
        if fitted != node:
            store_fitted(tx, node, fitted, why)


def with_details_that_fit(node: Delegation, types: Types) -> Delegation:
    """Return `node` with those of its details, and of its scopes, that the types leave it."""
    is_approved = node.approval_id is not None
    scope, details = fit_details(node.scope, node.details, types, is_approved=is_approved)
    return replace(node, scope=scope, details=details)


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
