"""An agent: an OAuth client with an owner, a purpose, a status, an expiry and a ceiling.

Agents are ours alone: no host's `query_client` knows them, so every grant of the host
refuses them by construction.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    select,
)

from ..core.db import Prepared, Transaction, metadata
from ..core.values import Words, is_client_id, line, words
from ..oauth.ciba import CIBA, POLL
from .lifecycle import Status

#: In `delegates_to` and a delegation's pass-on list: agents that the holder spawned in this task.
SPAWNED = "spawned"

#: How a blueprint authenticates: not at all.
BLUEPRINT = "blueprint"

AUTHORIZATION_CODE = "authorization_code"
CLIENT_CREDENTIALS = "client_credentials"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant type (RFC 6749 §6)
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant type
GRANT_TYPES = frozenset(
    {AUTHORIZATION_CODE, CIBA, CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE}
)

agent = Table(
    "deputize_agent",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("owner", String(255)),
    Column("sponsor", String(255)),
    Column("purpose", Text, nullable=False),
    Column("model", String(200)),
    Column("vendor", String(200)),
    Column("software_version", String(200)),
    Column("origin", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("scope", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("delegates_to", Text, nullable=False),
    Column("max_delegation_depth", Integer, nullable=False),
    Column("grant_types", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("require_pushed_authorization_requests", Boolean, nullable=False),
    Column("token_endpoint_auth_method", String(32), nullable=False),
    Column("secret_digest", String(64)),
    Column("jwks", Text),
    Column("jwks_uri", Text),
    Column("credential_overlap", Integer),
    Column("retiring", Text),
    Column("retiring_until", BigInteger),
    Column("request_signing_alg", String(16)),
    Column("user_code_parameter", Boolean, nullable=False),
    Column("backchannel_token_delivery_mode", String(4), nullable=False),
    Column("backchannel_client_notification_endpoint", Text),
    Column("registration_token_digest", String(64)),
    Column("only_for", String(255)),
    Column("blueprint", String(64), index=True),
    Column("parent", String(64), index=True),
    Column("parent_delegation_id", String(16), index=True),
    Column("task_id", String(16)),
    Column("task_exchanges", Integer),
    Column("task_spawned", Integer),
    Column("task_elevated", Integer),
    Column("task_heartbeat", Integer),
    Column("task_completion", String(8)),
    Column("revision", Integer, nullable=False),
    Index("ix_deputize_agent_task_id", "task_id"),
    Index("ix_deputize_agent_origin", "origin", "owner"),
    Index("ix_deputize_agent_owner", "owner"),
    Index("ix_deputize_agent_sponsor", "sponsor"),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent's registration.

    :param owner: the host's key of the person who answers for it
    :param origin: `declared` by an administrator, `self` registered, or `spawned`
    :param expires_at: NumericDate after which it gets and keeps no token
    :param scope: its ceiling
    :param credential_overlap: seconds in which a secret or keys are good once they are replaced
    :param retiring: such a secret's hash, or keys, until `retiring_until`
    :param request_signing_alg: by which it signs all that it asks people (CIBA Core §4); None
        where it may ask unsigned
    :param user_code_parameter: whether it asks people cold by a code of theirs (CIBA Core §4)
    :param backchannel_token_delivery_mode: how it learns of a person's answer (CIBA Core §4)
    :param registration_token_digest: of what manages its registration (RFC 7592 §1.2)
    :param only_for: the host's key of the one person that it may act for, who alone let it in
    :param blueprint: client id of the agent that it is an instance of
    :param parent_delegation_id: for a spawned agent, the node whose end ends it
    :param task_exchanges: exchanges in each task that it is deputized for, as
        `task_spawned` and `task_elevated`; None where the settings alone bind
    :param task_heartbeat: seconds in which it must report on such a task again
    :param task_completion: who accepts the end of one that it proposes
    :param revision: raised by each edit, so that a decision can tell whether it still stands
    """

    client_id: str
    name: str
    purpose: str
    origin: str
    created_at: int
    expires_at: int
    token_endpoint_auth_method: str
    owner: str | None = None
    sponsor: str | None = None
    model: str | None = None
    vendor: str | None = None
    software_version: str | None = None
    status: str = Status.PENDING
    scope: Words = frozenset()
    resources: Words = frozenset()
    delegates_to: Words = frozenset()
    max_delegation_depth: int = 1
    grant_types: Words = GRANT_TYPES
    redirect_uris: tuple[str, ...] = ()
    require_pushed_authorization_requests: bool = False
    secret_digest: str | None = field(default=None, repr=False)
    jwks: str | None = None
    jwks_uri: str | None = None
    credential_overlap: int | None = None
    retiring: str | None = field(default=None, repr=False)
    retiring_until: int | None = None
    request_signing_alg: str | None = None
    user_code_parameter: bool = False
    backchannel_token_delivery_mode: str = POLL
    backchannel_client_notification_endpoint: str | None = None
    registration_token_digest: str | None = field(default=None, repr=False)
    only_for: str | None = None
    blueprint: str | None = None
    parent: str | None = None
    parent_delegation_id: str | None = None
    task_id: str | None = None
    task_exchanges: int | None = None
    task_spawned: int | None = None
    task_elevated: int | None = None
    task_heartbeat: int | None = None
    task_completion: str | None = None
    revision: int = 0

    def is_live(self, now: int) -> bool:
        """Tell whether it can act at `now`: active and unexpired (seconds since the epoch)."""
        acts = self.status == Status.ACTIVE and not self.is_blueprint
        return acts and now < self.expires_at

    @property
    def is_blueprint(self) -> bool:
        """Whether it stands for its instances, and never acts itself."""
        return self.token_endpoint_auth_method == BLUEPRINT

    @property
    def is_public(self) -> bool:
        """Whether it authenticates by nothing (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105 - a method's name

    def get_client_id(self) -> str:
        return self.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


_BY_ID = Prepared(select(agent).where(agent.c.client_id == bindparam("client_id")))
_SETS = ("scope", "resources", "delegates_to", "grant_types")
#: A driver that is asked directly may tell a number.
_FLAGS = ("require_pushed_authorization_requests", "user_code_parameter")


def agent_from_row(row: Mapping[Any, Any]) -> Agent:
    """Return the registration that `row` of `agent` holds."""
    values: dict[str, Any] = dict(row)
    for name in _SETS:
        values[name] = words(values[name])
    values["redirect_uris"] = tuple(json.loads(values["redirect_uris"]))
    for name in _FLAGS:
        values[name] = bool(values[name])
    return Agent(**values)


def agent_to_row(registered: Agent) -> dict[str, Any]:
    """Return the row of `agent` that holds `registered`."""
    values = {column.name: getattr(registered, column.name) for column in agent.c}
    for name in _SETS:
        values[name] = line(values[name])
    values["redirect_uris"] = json.dumps(list(values["redirect_uris"]))
    return values


def find_agent(tx: Transaction, client_id: str) -> Agent | None:
    """Return the agent of that client id, whatever its status; None for what cannot be one."""
    if not is_client_id(client_id):
        return None
    row = _BY_ID.first(tx, {"client_id": client_id})
    return agent_from_row(dict(zip(agent.c.keys(), row, strict=True))) if row else None


def find_agents(tx: Transaction, client_ids: Words) -> dict[str, Agent]:
    """Return the agents of those client ids, by client id."""
    rows = tx.execute(select(agent).where(agent.c.client_id.in_(client_ids))).mappings()
    return {row["client_id"]: agent_from_row(dict(row)) for row in rows}
