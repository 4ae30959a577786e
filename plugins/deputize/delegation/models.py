"""The rows of a delegation: persons, nodes, and the hashes of what is used once.

Access tokens are not rows: the delegation is. No foreign key leads to a host's table.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    Text,
    text,
)

from ..core.db import Bytewise, metadata
from ..core.values import line, words
from .node import Delegation

ACTIVE = "active"
LEFT = "left"
ERASED = "erased"

#: A person, as far as we must know one: `host_key` is the host's immutable key, and the `sub`.
person = Table(
    "deputize_person",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("host_key", String(255), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("left_at", BigInteger),
    Column("salt", LargeBinary, nullable=False),
)

delegation = Table(
    "deputize_delegation",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("root_id", String(16), nullable=False),
    Column("parent_id", String(16)),
    Column("path", Bytewise, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("chain", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("person_id", String(16), nullable=False),
    Column("task_id", String(16), nullable=False),
    Column("scope", Text, nullable=False),
    Column("target", String(512), nullable=False),
    Column("resources", Text, nullable=False),
    Column("pass_on", Text, nullable=False),
    Column("max_depth", Integer, nullable=False),
    Column("details", Text),
    Column("lease_hash", String(64)),
    Column("approval_id", String(16)),
    Column("jkt", String(43)),
    Column("auth_time", BigInteger),
    Column("acr", Text),
    Column("amr", Text, nullable=False),
    Column("evidence_id", String(16)),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_why", String(64)),
    Index("ix_deputize_delegation_path", "path"),
    Index("ix_deputize_delegation_actor", "actor", "ended_at"),
    Index("ix_deputize_delegation_person_id", "person_id", "ended_at"),
    Index("ix_deputize_delegation_task_id", "task_id"),
)
Index(
    "uq_deputize_delegation_lease_hash",
    delegation.c.lease_hash,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

#: Nodes that ended long ago, as they were: `body` is the row, as canonical JSON.
archived = Table(
    "deputize_archived_delegation",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person_id", String(16), nullable=False, index=True),
    Column("task_id", String(16), nullable=False, index=True),
    Column("archived_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

code = Table(
    "deputize_code",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False, index=True),
    Column("person_id", String(16), nullable=False, index=True),
    Column("redirect_uri", Text),
    Column("code_challenge", String(43), nullable=False),
    Column("scope", Text, nullable=False),
    Column("details", Text),
    Column("resources", Text, nullable=False),
    Column("pass_on", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("granted_until", BigInteger, nullable=False),
    Column("auth_time", BigInteger),
    Column("acr", Text),
    Column("amr", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
    Column("delegation_id", String(16)),
)

#: Authorization requests that agents pushed, by the hash of what refers to them.
pushed_request = Table(
    "deputize_pushed_request",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("parameters", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("person_key", String(255)),
    Column("used_at", BigInteger),
    Index("ix_deputize_pushed_request_client_id", "client_id", "expires_at"),
)

refresh_token = Table(
    "deputize_refresh_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("delegation_id", String(16), nullable=False, index=True),
    Column("client_id", String(64), nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("successor", String(64)),
)

spawn_token = Table(
    "deputize_spawn_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("delegation_id", String(16), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("agent_jkt", String(43), nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)

#: Tokens that are good for one use: opaque, so that they must be asked about.
single_use = Table(
    "deputize_single_use",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("delegation_id", String(16), nullable=False, index=True),
    Column("jti", String(16), nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("use_id", String(128)),
    Column("used_at", BigInteger),
)

#: A counter a row: never a column of a row that others hold shared.
quota = Table(
    "deputize_quota",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("used", Integer, nullable=False),
)

_NAMES = tuple(f.name for f in fields(Delegation))
_SETS = ("scope", "resources", "pass_on")
_LISTS = ("chain", "amr")


def tombstone(person_id: str) -> str:
    """Return what stands in place of the host's key of somebody who was erased."""
    return f"{ERASED}:{person_id}"


#: The columns of a node, in the order of `Delegation`'s members: what `node_of` takes.
NODE = tuple(delegation.c[name] for name in _NAMES)


def node_of(row: Sequence[Any]) -> Delegation:
    """Return the node that a row begins with, which selected `NODE`."""
    values: list[Any] = [read(value) for read, value in zip(_READERS, row, strict=False)]
    return Delegation(*values)


def delegation_from_row(row: RowMapping) -> Delegation:
    """Return the node that `row` of `delegation` holds."""
    return node_of([row[name] for name in _NAMES])


def _as_it_is(value: Any) -> Any:
    return value


def _list(value: str) -> tuple[str, ...]:
    return tuple(value.split())


_READERS: tuple[Callable[[Any], Any], ...] = tuple(
    words if name in _SETS else _list if name in _LISTS else _as_it_is for name in _NAMES
)


def delegation_to_row(node: Delegation) -> dict[str, Any]:
    """Return the row of `delegation` that holds `node`."""
    values = {name: getattr(node, name) for name in _NAMES}
    for name in _SETS:
        values[name] = line(values[name])
    for name in _LISTS:
        values[name] = " ".join(values[name])
    return values


def subtree(path: str) -> tuple[str, str]:
    """Return the range `low <= path < high` of the node at `path` and all below it."""
    return path, path[:-1] + chr(ord("/") + 1)
