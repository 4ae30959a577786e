"""The catalogue: each scope belongs to one resource server, or to the server itself.

Kept in memory by its version. Scopes of the server itself are not rows: nobody can
declare another meaning for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text, select

from ..core.db import Transaction, metadata
from ..core.values import Words
from .details import DetailsType

#: The agent's own scopes: they work in a token for the issuer only, and never at a resource server.
SPAWN = "agents:spawn"
TASKS = "tasks"
OWN_SCOPES: Mapping[str, str] = {
    SPAWN: "Start helpers of its own",
    TASKS: "Report how the task is going",
}

#: Scopes of the server itself, for clients that an administrator lists; never for agents.
RESERVED_SCOPES: Words = frozenset({"admin", "approvals", "openid", "profile", "email", "scim"})

resource_server = Table(
    "deputize_resource_server",
    metadata,
    Column("identifier", String(512), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("client_id", String(64), nullable=False, unique=True),
    Column("secret_digest", String(64), nullable=False),
    Column("use_id", Boolean),
    Column("retired_at", BigInteger),
)

scope = Table(
    "deputize_scope",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("resource", String(512), nullable=False),
    Column("description", Text, nullable=False),
    Column("sensitive", Boolean, nullable=False),
    Column("acr", String(200)),
    Column("max_age", Integer),
    Column("token_lifetime", Integer),
    Column("single_use", Boolean, nullable=False),
    Column("delegable", Boolean, nullable=False),
    Column("approvers", Text),
    Column("quorum", Integer),
    Column("escalates_to", Text),
    Column("escalates_after", Integer),
    Column("retired_at", BigInteger),
)


details_type = Table(
    "deputize_details_type",
    metadata,
    Column("type", String(200), primary_key=True),
    Column("scope", String(200), nullable=False),
    Column("schema", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("compare", Text, nullable=False),
    Column("consumable", String(200)),
    Column("retired_at", BigInteger),
)


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """An API that accepts our tokens, and authenticates to introspect them."""

    identifier: str
    name: str
    client_id: str
    secret_digest: str = field(repr=False)
    use_id: bool | None = None
    retired_at: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing that can be asked for, in the person's words.

    :param acr: how who approves must have signed in (OpenID Connect Core §2)
    :param max_age: seconds since then, at most
    :param token_lifetime: seconds
    :param approvers: who must say yes beside the person: `group:NAME`
    :param quorum: how many of them; one where it is not said
    :param escalates_to: `group:NAME`, who may say it too after `escalates_after` seconds
    """

    name: str
    resource: str
    description: str
    sensitive: bool = False
    acr: str | None = None
    max_age: int | None = None
    token_lifetime: int | None = None
    single_use: bool = False
    delegable: bool = False
    approvers: str | None = None
    quorum: int | None = None
    escalates_to: str | None = None
    escalates_after: int | None = None
    retired_at: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can be asked for at one moment.

    :param callers: resource servers by the client id that they introspect with
    :param sensitive: scopes that need a fresh approval each time
    :param delegable: those of them that may be passed on once approved
    :param types: of authorization details, by name
    :param bound: scopes that are never issued without a detail
    """

    scopes: Mapping[str, Scope]
    servers: Mapping[str, ResourceServer]
    callers: Mapping[str, ResourceServer]
    scopes_by_resource: Mapping[str, Words]
    sensitive: Words
    delegable: Words
    types: Mapping[str, DetailsType]
    bound: Words

    def is_known(self, name: str) -> bool:
        return name in self.scopes or name in OWN_SCOPES

    def describe(self, name: str) -> str:
        """Return what `name` lets an agent do, in plain words."""
        known = self.scopes.get(name)
        return known.description if known else OWN_SCOPES.get(name, name)


def load_catalogue(tx: Transaction) -> Catalogue:
    """Read the scopes and resource servers that are not retired."""
    scopes = [Scope(**row) for row in _live(tx, scope)]
    servers = [ResourceServer(**row) for row in _live(tx, resource_server)]
    types = load_types(tx)
    consumable = frozenset(t.scope for t in types.values() if t.consumable)
    return Catalogue(
        scopes={s.name: s for s in scopes},
        servers={s.identifier: s for s in servers},
        callers={s.client_id: s for s in servers},
        scopes_by_resource={
            s.identifier: frozenset(a.name for a in scopes if a.resource == s.identifier)
            for s in servers
        },
        # "A consumable type is granted only by an approval."
        sensitive=frozenset(s.name for s in scopes if _needs_approval(s)) | consumable,
        delegable=frozenset(s.name for s in scopes if s.delegable),
        types=types,
        bound=frozenset(t.scope for t in types.values()),
    )


def load_types(tx: Transaction) -> dict[str, DetailsType]:
    """Read the types that are not retired, by name."""
    live = select(details_type).where(details_type.c.retired_at.is_(None))
    return {row["type"]: DetailsType(**row) for row in tx.execute(live).mappings()}


def _needs_approval(declared: Scope) -> bool:
    # Whatever is asked of an approval asks for one: a rule that nobody could meet without
    # the person must not be met by leaving the person out.
    asks = (declared.single_use, declared.acr, declared.max_age, declared.approvers)
    return declared.sensitive or any(asks)


def _live(tx: Transaction, table: Table) -> list[dict[str, Any]]:
    rows = tx.execute(select(table).where(table.c.retired_at.is_(None)))
    return [dict(row) for row in rows.mappings()]
