"""Writes what is declared in the form in which it is declared: what is written here and
applied again changes nothing. No secret leaves: of a client's secret its SHA-256.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..agents.blueprints import INHERITED
from ..agents.client_metadata import REQUEST_SIGNING_ALG, USER_CODE_PARAMETER
from ..agents.models import Agent
from ..catalogue.details import DetailsType
from ..catalogue.models import ResourceServer, Scope
from ..core.db import Database
from ..oauth.ciba import POLL
from .read import AGENTS, DETAILS_TYPES, SCOPES, SERVERS
from .stored import read_stored

Entry = Mapping[str, Any]


def export(db: Database, name_of: Callable[[str], str] = str) -> dict[str, list[Entry]]:
    """Return the entries of each table that the plugin knows.

    :param name_of: by which name the host's person of a key signs in
    """
    stored = read_stored(db)
    return {
        SERVERS: [_server(row) for _, row in sorted(stored.live_servers.items())],
        SCOPES: [_scope(row) for _, row in sorted(stored.live_scopes.items())],
        DETAILS_TYPES: [_details_type(t) for _, t in sorted(stored.live_details_types.items())],
        AGENTS: [_agent(row, name_of) for _, row in sorted(stored.standing_agents.items())],
    }


def write_toml(tables: Mapping[str, Iterable[Entry]]) -> str:
    """Return `tables` as TOML; members that are None are left out."""
    return "\n".join(
        f"[[{kind}]]\n{_members(entry)}" for kind, entries in tables.items() for entry in entries
    )


def _server(row: ResourceServer) -> Entry:
    return {
        "identifier": row.identifier,
        "name": row.name,
        "client_id": row.client_id,
        "client_secret_sha256": row.secret_digest,
        "use_id": row.use_id,
    }


def _scope(row: Scope) -> Entry:
    return {
        "name": row.name,
        "resource": row.resource,
        "description": row.description,
        "sensitive": row.sensitive or None,
        "acr": row.acr,
        "max_age": row.max_age,
        "token_lifetime": row.token_lifetime,
        "single_use": row.single_use or None,
        "delegable": row.delegable or None,
        "approvers": row.approvers,
        "quorum": row.quorum,
        "escalates_to": row.escalates_to,
        "escalates_after": row.escalates_after,
    }


def _details_type(row: DetailsType) -> Entry:
    return {
        "type": row.type,
        "scope": row.scope,
        "schema": json.loads(row.schema),
        "template": row.template,
        "compare": json.loads(row.compare),
        "consumable": row.consumable,
    }


def _agent(row: Agent, name_of: Callable[[str], str]) -> Entry:
    entry = _whole_agent(row, name_of)
    if row.is_blueprint:
        return {**entry, "token_endpoint_auth_method": None, "is_blueprint": True}
    if row.blueprint is not None:
        # All else is written with its blueprint.
        inherited = {*INHERITED, "scopes"}
        entry = {name: value for name, value in entry.items() if name not in inherited}
    return {**entry, "blueprint": row.blueprint}


def _whole_agent(row: Agent, name_of: Callable[[str], str]) -> Entry:
    return {
        "client_id": row.client_id,
        "name": row.name,
        "owner": name_of(row.owner) if row.owner else None,
        "sponsor": name_of(row.sponsor) if row.sponsor else None,
        "purpose": row.purpose,
        "model": row.model,
        "vendor": row.vendor,
        "software_version": row.software_version,
        "scopes": sorted(row.scope),
        "resources": sorted(row.resources),
        "delegates_to": sorted(row.delegates_to),
        "max_delegation_depth": row.max_delegation_depth,
        "expires_at": datetime.fromtimestamp(row.expires_at, UTC),
        "grant_types": sorted(row.grant_types),
        "redirect_uris": list(row.redirect_uris),
        "require_pushed_authorization_requests": (
            row.require_pushed_authorization_requests or None
        ),
        "token_endpoint_auth_method": row.token_endpoint_auth_method,
        "client_secret_sha256": row.secret_digest,
        "jwks": json.loads(row.jwks) if row.jwks else None,
        "jwks_uri": row.jwks_uri,
        REQUEST_SIGNING_ALG: row.request_signing_alg,
        USER_CODE_PARAMETER: row.user_code_parameter or None,
        **_delivery(row),
        "credential_overlap": row.credential_overlap,
        "task_exchanges": row.task_exchanges,
        "task_spawned": row.task_spawned,
        "task_elevated": row.task_elevated,
        "task_heartbeat": row.task_heartbeat,
        "task_completion": row.task_completion,
    }


def _delivery(row: Agent) -> Entry:
    if row.backchannel_token_delivery_mode == POLL:
        return {}
    names = ("backchannel_token_delivery_mode", "backchannel_client_notification_endpoint")
    return {name: getattr(row, name) for name in names}


def _members(entry: Entry) -> str:
    return "".join(f"{key} = {_value(v)}\n" for key, v in entry.items() if v is not None)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for one control character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_value(str(k))} = {_value(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(_value(member) for member in value) + "]"
