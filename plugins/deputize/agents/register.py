"""Dynamic registration (RFC 7591): a client says what it is, and an agent is made of that.

A client that registers itself is an agent, `pending`, whatever it says. An
administrator adopts it, names its owner and gives it its ceiling.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select

from ..audit.record import Event, record
from ..core.db import Kind, Lock, Transaction, insert_unless_present
from ..core.refusal import Refusal
from ..core.secrets import digest, new_id, new_secret
from ..oauth.ciba import CIBA
from ..settings import Settings
from .client_metadata import (
    REQUEST_SIGNING_ALG,
    USER_CODE_PARAMETER,
    ClientMetadata,
)
from .lifecycle import Status
from .models import (
    AUTHORIZATION_CODE,
    Agent,
    agent,
    agent_to_row,
)

#: The `origin` of an agent that registered itself.
SELF = "self"

REGISTRATION_TOKEN_PREFIX = "dreg_"  # noqa: S105 - tells whose token it is

#: Nobody in particular registers: held while what waits is counted, lest anyone fill the disk.
SELF_REGISTRATION = Lock(Kind.AGENT, " self-registration", exclusive=True)

#: How deep a self-registered agent may delegate until an administrator says otherwise.
_SELF_REGISTERED_DEPTH = 1


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a client is told once, and we keep as hashes.

    :param client: its secret, where it authenticates by one
    :param registration: its registration access token. :rfc:`7592#section-3`
    """

    client: str | None = field(default=None, repr=False)
    registration: str | None = field(default=None, repr=False)


def register_itself(
    tx: Transaction, metadata: ClientMetadata, settings: Settings
) -> tuple[Agent, Secrets]:
    """Store a pending agent; return it, with what it is told once.

    The caller holds `SELF_REGISTRATION`: what waits is counted under it.

    :raises Refusal: `registration.refused` where self-registration is off,
        `registration.full` where as many wait as may
    """
    if settings.agents.self_registered == "refuse":
        raise Refusal("registration.refused", "Agents are registered by an administrator here.")
    if _how_many_wait(tx) >= settings.agents.max_pending:
        raise Refusal("registration.full", "Too many agents wait to be adopted: try later.")
    manages = new_secret(REGISTRATION_TOKEN_PREFIX)
    stranger = Agent(
        client_id=f"a-{new_id()}",
        name="",
        purpose="",
        origin=SELF,
        created_at=tx.now,
        expires_at=tx.now + settings.agents.default_lifetime,
        token_endpoint_auth_method="none",  # noqa: S106 - a method's name
        status=Status.PENDING,
        max_delegation_depth=_SELF_REGISTERED_DEPTH,
        registration_token_digest=digest(manages),
    )
    registered, secret = with_metadata(stranger, metadata)
    store_agent(tx, registered, Event("agent.registered", agent=registered.client_id))
    return registered, Secrets(secret, manages)


def with_metadata(known: Agent, metadata: ClientMetadata) -> tuple[Agent, str | None]:
    """Return the agent as it describes itself now, and its new secret where it needs one.

    It never lives longer than it did (RFC 7592 §2.2: all members are replaced).

    :raises Refusal: `registration.redirect_uri`
    """
    if AUTHORIZATION_CODE in metadata.grant_types and not metadata.redirect_uris:
        raise Refusal("registration.redirect_uri", "authorization_code needs redirect_uris.")
    by_secret = metadata.token_endpoint_auth_method.startswith("client_secret")
    secret = new_secret() if by_secret and known.secret_digest is None else None
    described = replace(
        known,
        name=metadata.name,
        purpose=metadata.purpose,
        model=metadata.model,
        vendor=metadata.vendor,
        software_version=metadata.software_version,
        expires_at=min(known.expires_at, metadata.expires_at or known.expires_at),
        token_endpoint_auth_method=metadata.token_endpoint_auth_method,
        scope=metadata.scope,
        resources=metadata.resources,
        delegates_to=metadata.delegates_to,
        grant_types=metadata.grant_types,
        redirect_uris=metadata.redirect_uris,
        require_pushed_authorization_requests=metadata.require_pushed_authorization_requests,
        secret_digest=digest(secret) if secret else known.secret_digest if by_secret else None,
        jwks=metadata.jwks,
        jwks_uri=None,
        request_signing_alg=metadata.request_signing_alg,
        user_code_parameter=metadata.user_code_parameter,
        backchannel_token_delivery_mode=metadata.backchannel_token_delivery_mode,
        backchannel_client_notification_endpoint=metadata.backchannel_client_notification_endpoint,
    )
    return described, secret


def _how_many_wait(tx: Transaction) -> int:
    # Those that retired themselves meanwhile count too: giving up makes no room for another.
    waiting = select(func.count()).where(
        agent.c.origin == SELF, agent.c.owner.is_(None), agent.c.expires_at > tx.now
    )
    return int(tx.execute(waiting).scalar_one())


def store_agent(tx: Transaction, registered: Agent, happened: Event) -> None:
    """Insert `registered` with its event.

    :raises Refusal: `registration.taken` when the client id exists
    """
    if not insert_unless_present(tx, agent, agent_to_row(registered)):
        raise Refusal("registration.taken", "That client id is taken.")
    record(tx, happened)


def registration_response(
    registered: Agent, secrets: Secrets, registration_endpoint: str
) -> dict[str, Any]:
    """Return what the client is told of its registration.

    :rfc:`7591#section-3.2.1`; where it may manage it, :rfc:`7592#section-3` too.
    """
    managed_at = f"{registration_endpoint}/{registered.client_id}"
    told = {
        "client_id": registered.client_id,
        "client_id_issued_at": registered.created_at,
        "client_name": registered.name,
        "client_type": "agent",
        "client_secret": secrets.client,
        "client_secret_expires_at": registered.expires_at if secrets.client else None,
        "registration_access_token": secrets.registration,
        "registration_client_uri": managed_at if secrets.registration else None,
        "token_endpoint_auth_method": registered.token_endpoint_auth_method,
        "grant_types": sorted(registered.grant_types),
        "redirect_uris": list(registered.redirect_uris) or None,
        "require_pushed_authorization_requests": (
            registered.require_pushed_authorization_requests or None
        ),
        **_delivery(registered),
        "scope": " ".join(sorted(registered.scope)),
        "agent_status": registered.status,
        "agent_owner": registered.owner,
        "agent_parent": registered.parent,
        "agent_purpose": registered.purpose or None,
        "agent_model": registered.model,
        "agent_vendor": registered.vendor,
        "software_version": registered.software_version,
        "jwks": json.loads(registered.jwks) if registered.jwks else None,
        REQUEST_SIGNING_ALG: registered.request_signing_alg,
        USER_CODE_PARAMETER: registered.user_code_parameter or None,
        "resources": sorted(registered.resources) or None,
        "agent_expires_at": registered.expires_at,
        "max_delegation_depth": registered.max_delegation_depth,
        "delegates_to": sorted(registered.delegates_to),
    }
    return {name: value for name, value in told.items() if value is not None}


def _delivery(registered: Agent) -> dict[str, str | None]:
    """Return what is told of how the client learns of a person's answer. CIBA Core §4."""
    if not registered.check_grant_type(CIBA):
        return {}
    names = ("backchannel_token_delivery_mode", "backchannel_client_notification_endpoint")
    return {name: getattr(registered, name) for name in names}
