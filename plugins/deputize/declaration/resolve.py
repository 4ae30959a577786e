"""What a declaration means against this database and this host: the rows it asks for.

What the file leaves out has a default; a secret or key that it leaves out stays. All
mistakes are collected before anything is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from ..agents.blueprints import follow
from ..agents.client_metadata import REQUEST_SIGNING_ALG
from ..agents.lifecycle import Status
from ..agents.models import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Agent,
)
from ..agents.register import SELF
from ..catalogue.details import DetailsType
from ..catalogue.models import OWN_SCOPES, TASKS, ResourceServer, Scope
from ..core.values import Words
from ..delegation.context import Context
from ..endings.owner_left import has_left
from ..host import Person
from ..oauth.ciba import CIBA, POLL
from ..settings import Settings
from ..typed_toml import raise_mistakes
from .form import AgentTable, DetailsTypeTable, ScopeTable, ServerTable
from .read import AGENTS, DETAILS_TYPES, SCOPES, SERVERS, Declaration
from .stored import SPAWNED_ORIGIN, Stored

DECLARED_ORIGIN = "declared"


@dataclass(frozen=True)
class Rows:
    """The rows that a declaration asks for."""

    servers: tuple[ResourceServer, ...]
    scopes: tuple[Scope, ...]
    details_types: tuple[DetailsType, ...]
    agents: tuple[Agent, ...]


@dataclass
class Resolving:
    """One declaration against one moment of the database.

    :param prune: what is stored and not declared will not be there any more
    """

    context: Context
    declaration: Declaration
    stored: Stored
    prune: bool = False
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        declared = {scope.name: scope.resource for scope in self.declaration.scopes}
        kept = {} if self.prune else self.stored.live_scopes
        self.resource_of = {name: row.resource for name, row in kept.items()} | declared
        servers = {server.identifier: server.use_id for server in self.declaration.servers}
        kept_servers = {} if self.prune else self.stored.live_servers
        self.use_id_of = {name: row.use_id for name, row in kept_servers.items()} | servers

    def rows(self) -> Rows:
        """Return the rows.

        :raises ConfigurationError: one line for each mistake
        """
        declaration = self.declaration
        servers = [self._server(table) for table in declaration.servers]
        scopes = [self._scope(table) for table in declaration.scopes]
        types = [self._details_type(table) for table in declaration.details_types]
        agents = [self._agent(table) for table in declaration.agents]
        raise_mistakes(self.lines)
        return Rows(tuple(servers), tuple(scopes), tuple(types), tuple(agents))

    # -- resource servers -------------------------------------------------------

    def _server(self, table: ServerTable) -> ResourceServer:
        before = self.stored.servers.get(table.identifier)
        stored_digest = before.secret_digest if before else None
        self._check(SERVERS, table.identifier, self._server_mistakes(table, stored_digest))
        return ResourceServer(
            identifier=table.identifier,
            name=table.name or urlsplit(table.identifier).netloc,
            client_id=table.client_id,
            secret_digest=table.secret_digest or stored_digest or "",
            use_id=table.use_id,
        )

    def _server_mistakes(self, table: ServerTable, stored_digest: str | None) -> Iterator[str]:
        if not (table.secret_digest or stored_digest):
            yield "client_secret: is missing: it is what the server introspects with"
        if table.identifier in (self.context.issuer, self.context.registration_endpoint):
            yield "identifier: is the issuer's own"
        if table.client_id in self.stored.agents:
            yield f"client_id: {table.client_id} is an agent's"
        if self.context.host.find_person(table.client_id) is not None:
            yield "client_id: is the identifier of a person"
        for other in self.stored.servers.values():
            if other.client_id == table.client_id and other.identifier != table.identifier:
                retired = " retired" if other.retired_at else ""
                yield f"client_id: is that of the{retired} resource server {other.identifier}"

    # -- scopes -----------------------------------------------------------------

    def _scope(self, table: ScopeTable) -> Scope:
        self._check(SCOPES, table.name, self._scope_mistakes(table))
        return Scope(**table.model_dump())

    def _scope_mistakes(self, table: ScopeTable) -> Iterator[str]:
        if table.resource not in self.use_id_of:
            yield _unknown("resource", "resource server", table.resource, self.use_id_of)
        elif table.single_use and self.use_id_of[table.resource] is None:
            yield f"single_use: needs use_id = true or false on [[{SERVERS}]] {table.resource}"

    # -- types of authorization details ------------------------------------------

    def _details_type(self, table: DetailsTypeTable) -> DetailsType:
        if table.scope not in self.resource_of:
            mistake = _unknown("scope", "scope", table.scope, self.resource_of)
            self._check(DETAILS_TYPES, table.type, [mistake])
        return table.row

    # -- agents -----------------------------------------------------------------

    def _agent(self, table: AgentTable) -> Agent:
        if table.blueprint is not None:
            return self._instance(table, table.blueprint)
        before = self.stored.agents.get(table.client_id)
        owner = self._person(table, "owner", table.owner or "")
        sponsor = self._person(table, "sponsor", table.sponsor) if table.sponsor else None
        self._check(AGENTS, table.client_id, self._agent_mistakes(table, before))
        self._check(AGENTS, table.client_id, self._owner_mistakes(table, owner, before))
        wanted = declared_agent(table, before, self.context.settings, self.stored.now)
        return replace(
            wanted,
            owner=owner.key if owner else None,
            sponsor=sponsor.key if sponsor else None,
            resources=self._resources(table),
        )

    def _instance(self, table: AgentTable, name: str) -> Agent:
        before = self.stored.agents.get(table.client_id)
        blueprint = self._blueprint(table, name)
        self._check(AGENTS, table.client_id, self._agent_mistakes(table, before))
        wanted = declared_agent(table, before, self.context.settings, self.stored.now)
        return follow(wanted, blueprint) if blueprint else wanted

    def _blueprint(self, table: AgentTable, name: str) -> Agent | None:
        """Return the blueprint as it is declared beside, else as it is stored."""
        declared = next((one for one in self.declaration.agents if one.client_id == name), None)
        found = self.stored.agents.get(name)
        if declared is not None and declared.is_blueprint:
            found = self._agent(declared)
        if found is None or not found.is_blueprint:
            self._check(AGENTS, table.client_id, [f'blueprint: "{name}" is none that is known'])
            return None
        if found.status != Status.ACTIVE and table.client_id not in self.stored.agents:
            text = f'blueprint: "{name}" is {found.status}: nothing is born of it'
            self._check(AGENTS, table.client_id, [text])
        return found

    def _resources(self, table: AgentTable) -> Words:
        if table.resources is not None:
            return frozenset(table.resources)
        return frozenset(self.resource_of[s] for s in table.scopes if s in self.resource_of)

    def _person(self, table: AgentTable, key: str, name: str) -> Person | None:
        host = self.context.host
        found = host.find_person_by_name(name) or host.find_person(name)
        if found is None:
            self._check(AGENTS, table.client_id, [f'{key}: nobody signs in as "{name}"'])
        return found

    def _owner_mistakes(
        self, table: AgentTable, owner: Person | None, before: Agent | None
    ) -> Iterator[str]:
        if owner is None or (before is not None and before.owner == owner.key):
            return
        # It may have gone to the sponsor meanwhile: an old file does not hand it back.
        with self.context.db.read() as tx:
            is_gone = has_left(tx, owner.key)
        if is_gone and not self.context.host.is_active(owner.key):
            yield f'owner: "{table.owner}" has left: name who answers for it now'

    def _agent_mistakes(self, table: AgentTable, before: Agent | None) -> Iterator[str]:
        if before is None and table.auth_method is None:
            ways = 'client_secret, jwks, jwks_file, jwks_uri or token_endpoint_auth_method = "none"'
            yield f"needs {ways}"
        if before and before.status == Status.RETIRED:
            yield "client_id: that agent was retired, which is final: declare another client_id"
        if before and before.origin == SPAWNED_ORIGIN:
            yield "client_id: that agent was spawned: its parent and its task declare it"
        if any(table.client_id == server.client_id for server in self.stored.servers.values()):
            yield "client_id: is a resource server's"
        if self.context.host.find_person(table.client_id) is not None:
            yield "client_id: is the identifier of a person"
        yield from self._ceiling_mistakes(table)
        yield from _signing_mistakes(table, before)

    def _ceiling_mistakes(self, table: AgentTable) -> Iterator[str]:
        scopes = [*self.resource_of, *OWN_SCOPES]
        for name in table.scopes:
            if name not in scopes:
                yield _unknown("scopes", "scope", name, scopes)
        for name in table.resources or ():
            if name not in self.use_id_of:
                yield _unknown("resources", "resource server", name, self.use_id_of)
        if table.task_heartbeat and TASKS not in table.scopes:
            yield "task_heartbeat: needs the scope tasks, by which the agent reports"
        if AUTHORIZATION_CODE in (table.grant_types or ()) and not table.redirect_uris:
            yield "grant_types: authorization_code needs redirect_uris"

    def _check(self, kind: str, name: str, mistakes: Iterator[str] | list[str]) -> None:
        self.lines += [self.declaration.line(kind, name, text) for text in mistakes]


def _signing_mistakes(table: AgentTable, before: Agent | None) -> Iterator[str]:
    method = table.auth_method or (before.token_endpoint_auth_method if before else None)
    if table.backchannel_authentication_request_signing_alg and method != "private_key_jwt":
        yield f"{REQUEST_SIGNING_ALG}: needs jwks, jwks_file or jwks_uri"


def declared_agent(table: AgentTable, before: Agent | None, settings: Settings, now: int) -> Agent:
    """Return the registration that `table` asks for, its people and resources left out.

    An agent that registered itself keeps what it says of itself where the file is silent.
    """
    made_at = before.created_at if before else now
    said = before if before and before.origin == SELF else None
    uris = tuple(table.redirect_uris or (said.redirect_uris if said else ()))
    proof = _authentication(table, before)
    grants = frozenset(table.grant_types or (said.grant_types if said else ()))
    return Agent(
        client_id=table.client_id,
        name=table.name or (said.name if said else table.client_id),
        purpose=table.purpose if table.purpose is not None else (said.purpose if said else ""),
        model=table.model or (said.model if said else None),
        vendor=table.vendor or (said.vendor if said else None),
        software_version=table.software_version or (said.software_version if said else None),
        origin=before.origin if before else DECLARED_ORIGIN,
        created_at=made_at,
        expires_at=_expiry(table, before, made_at, settings),
        status=before.status if before else Status.ACTIVE,
        scope=frozenset(table.scopes),
        delegates_to=frozenset(table.delegates_to),
        max_delegation_depth=table.max_delegation_depth or settings.delegation.max_depth,
        redirect_uris=uris,
        require_pushed_authorization_requests=_pushes(table, said),
        grant_types=grants or _usual_grants(proof.method, uris),
        token_endpoint_auth_method=proof.method,
        secret_digest=proof.secret_digest,
        jwks=proof.jwks,
        jwks_uri=proof.jwks_uri,
        request_signing_alg=_request_signing_alg(table, said, proof.method),
        user_code_parameter=_user_code_parameter(table, said),
        **_delivery(table, said),
        registration_token_digest=before.registration_token_digest if before else None,
        blueprint=table.blueprint,
        credential_overlap=table.credential_overlap,
        task_exchanges=table.task_exchanges,
        task_spawned=table.task_spawned,
        task_elevated=table.task_elevated,
        task_heartbeat=table.task_heartbeat,
        task_completion=table.task_completion,
        revision=before.revision if before else 0,
    )


def _request_signing_alg(table: AgentTable, said: Agent | None, method: str) -> str | None:
    named = table.backchannel_authentication_request_signing_alg
    return named or (said.request_signing_alg if said and method == "private_key_jwt" else None)


def _user_code_parameter(table: AgentTable, said: Agent | None) -> bool:
    named = table.backchannel_user_code_parameter
    return named if named is not None else bool(said and said.user_code_parameter)


def _pushes(table: AgentTable, said: Agent | None) -> bool:
    if table.require_pushed_authorization_requests is not None:
        return table.require_pushed_authorization_requests
    return said is not None and said.require_pushed_authorization_requests


def _delivery(table: AgentTable, said: Agent | None) -> dict[str, Any]:
    """Return how it learns of a person's answer (CIBA Core §4): by poll, where nothing is said."""
    source = said if said and table.backchannel_token_delivery_mode is None else table
    return {
        "backchannel_token_delivery_mode": source.backchannel_token_delivery_mode or POLL,
        "backchannel_client_notification_endpoint": source.backchannel_client_notification_endpoint,
    }


@dataclass(frozen=True)
class _Authentication:
    """How an agent proves who it is."""

    method: str
    secret_digest: str | None
    jwks: str | None
    jwks_uri: str | None


def _authentication(table: AgentTable, before: Agent | None) -> _Authentication:
    if table.auth_method is not None or before is None:
        method = table.auth_method or ""
        return _Authentication(method, table.secret_digest, table.jwks, table.jwks_uri)
    method = before.token_endpoint_auth_method
    return _Authentication(method, before.secret_digest, before.jwks, before.jwks_uri)


def _expiry(table: AgentTable, before: Agent | None, made_at: int, settings: Settings) -> int:
    # `expires_in` counts from the first declaration, so that the same file applied again
    # never moves the end.
    if table.expires_at is not None:
        return table.expires_at
    if table.expires_in is not None:
        return made_at + table.expires_in
    return before.expires_at if before else made_at + settings.agents.default_lifetime


def _usual_grants(method: str, redirect_uris: tuple[str, ...]) -> Words:
    by_code = {AUTHORIZATION_CODE, REFRESH_TOKEN} if redirect_uris else set()
    # RFC 6749 §4.4: "MUST only be used by confidential clients".
    by_itself = {CLIENT_CREDENTIALS, CIBA} if method != "none" else set()
    return frozenset({TOKEN_EXCHANGE, *by_code, *by_itself})


def _unknown(key: str, what: str, name: str, known: Mapping[str, object] | list[str]) -> str:
    nearest = get_close_matches(name, list(known), n=1, cutoff=0.6)
    hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
    return f'{key}: "{name}" is no {what} that is declared or known{hint}'
