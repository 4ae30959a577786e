"""Dynamic registration (RFC 7591): what a client says of itself, read and never trusted.

A client that registers itself is an agent, `pending`, whatever it says. An
administrator adopts it, names its owner and gives it its ceiling.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select

from ..audit.record import Event, record
from ..catalogue.models import RESERVED_SCOPES
from ..core.db import Kind, Lock, Transaction, insert_unless_present
from ..core.refusal import Refusal
from ..core.secrets import digest, new_id, new_secret
from ..core.values import Words, is_resource_identifier, words
from ..oauth.ciba import CIBA, DELIVERY_MODES, POLL
from ..settings import Settings
from .jwks import read_jwks
from .lifecycle import Status
from .models import (
    AUTHORIZATION_CODE,
    GRANT_TYPES,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Agent,
    agent,
    agent_to_row,
)
from .signed import ALGORITHMS

AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
MAX_REDIRECT_URIS = 10
#: CIBA Core §4: client metadata.
REQUEST_SIGNING_ALG = "backchannel_authentication_request_signing_alg"
USER_CODE_PARAMETER = "backchannel_user_code_parameter"
MAX_URI = 2048

#: The `origin` of an agent that registered itself.
SELF = "self"

REGISTRATION_TOKEN_PREFIX = "dreg_"  # noqa: S105 - tells whose token it is

#: Nobody in particular registers: held while what waits is counted, lest anyone fill the disk.
SELF_REGISTRATION = Lock(Kind.AGENT, " self-registration", exclusive=True)

#: How deep a self-registered agent may delegate until an administrator says otherwise.
_SELF_REGISTERED_DEPTH = 1


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """The members of a registration that are understood. :rfc:`7591#section-2`."""

    name: str
    purpose: str
    model: str | None
    vendor: str | None
    software_version: str | None
    scope: Words
    resources: Words
    delegates_to: Words
    grant_types: Words
    redirect_uris: tuple[str, ...]
    require_pushed_authorization_requests: bool
    token_endpoint_auth_method: str
    jwks: str | None
    request_signing_alg: str | None
    user_code_parameter: bool
    backchannel_token_delivery_mode: str
    backchannel_client_notification_endpoint: str | None
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a client is told once, and we keep as hashes.

    :param client: its secret, where it authenticates by one
    :param registration: its registration access token. :rfc:`7592#section-3`
    """

    client: str | None = field(default=None, repr=False)
    registration: str | None = field(default=None, repr=False)


def read_metadata(body: Any, settings: Settings) -> ClientMetadata:
    """Return the client metadata that `body` holds.

    :raises Refusal: `registration.*`, which says what is wrong with which member
    """
    if not isinstance(body, dict):
        raise Refusal("registration.metadata", "The body is a JSON object of client metadata.")
    limit = settings.bounds.name_length
    if "jwks_uri" in body:
        raise Refusal("registration.jwks", "Keys are given by value, in jwks.")
    metadata = ClientMetadata(
        name=_text(body, "client_name", limit) or "An agent",
        purpose=_text(body, "agent_purpose", limit) or "",
        model=_text(body, "agent_model", limit),
        vendor=_text(body, "agent_vendor", limit),
        software_version=_text(body, "software_version", limit),
        scope=_words(body, "scope", settings.bounds.scopes),
        resources=_resources(body, settings.bounds.resources),
        delegates_to=frozenset(_list(body, "delegates_to", settings.bounds.resources)),
        grant_types=_grant_types(body),
        redirect_uris=_redirect_uris(body),
        require_pushed_authorization_requests=_flag(body, "require_pushed_authorization_requests"),
        token_endpoint_auth_method=_auth_method(body),
        jwks=read_jwks(body["jwks"]) if "jwks" in body else None,
        request_signing_alg=_request_signing_alg(body),
        user_code_parameter=_flag(body, USER_CODE_PARAMETER),
        backchannel_token_delivery_mode=_delivery_mode(body),
        backchannel_client_notification_endpoint=_notification_endpoint(body, settings),
        expires_at=_numeric_date(body, "agent_expires_at"),
    )
    if metadata.scope & RESERVED_SCOPES:
        raise Refusal("registration.metadata", "scope names what agents never hold.")
    by_key = metadata.token_endpoint_auth_method == "private_key_jwt"  # noqa: S105 - a name
    if by_key != (metadata.jwks is not None):
        raise Refusal("registration.metadata", "private_key_jwt and jwks come together.")
    if metadata.request_signing_alg and not by_key:
        raise Refusal("registration.metadata", f"{REQUEST_SIGNING_ALG} needs private_key_jwt.")
    return metadata


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


def is_redirect_uri(uri: str) -> bool:
    """Tell whether `uri` can be registered: https, or http on loopback; no fragment, no user.

    "The endpoint URI MUST NOT include a fragment component" (RFC 6749 §3.1.2).
    """
    if not uri.isascii() or not uri.isprintable() or "#" in uri or any(c in uri for c in ' \\"<>'):
        return False
    try:
        url = urlsplit(uri)
    except ValueError:
        return False
    loopback = url.hostname in ("127.0.0.1", "::1", "localhost")
    secure = url.scheme == "https" or (url.scheme == "http" and loopback)
    return secure and bool(url.hostname) and "@" not in url.netloc


def _text(body: dict[str, Any], name: str, limit: int) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit or "\x00" in value:
        raise Refusal("registration.metadata", f"{name} is text of at most {limit} characters.")
    return _encodable(value, name)


def _encodable(value: str, name: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refusal("registration.metadata", f"{name} is not valid text.") from None
    return value


def _words(body: dict[str, Any], name: str, limit: int) -> Words:
    members = words(_text(body, name, 8192))
    if len(members) > limit:
        raise Refusal("registration.metadata", f"{name} has at most {limit} members.")
    return members


def _list(body: dict[str, Any], name: str, limit: int) -> list[str]:
    value = body.get(name, [])
    is_list = isinstance(value, list) and len(value) <= limit
    if not is_list or not all(isinstance(v, str) and 0 < len(v) <= 512 for v in value):
        raise Refusal("registration.metadata", f"{name} is a list of at most {limit} texts.")
    if any(not v.isascii() or not v.isprintable() or " " in v for v in value):
        raise Refusal("registration.metadata", f"{name} holds a text that cannot stand there.")
    return value  # type: ignore[no-any-return]


def _resources(body: dict[str, Any], limit: int) -> Words:
    members = _list(body, "resources", limit)
    if not all(is_resource_identifier(m) for m in members):
        raise Refusal("registration.metadata", "resources holds canonical absolute URIs.")
    return frozenset(members)


def _grant_types(body: dict[str, Any]) -> Words:
    defaults = [AUTHORIZATION_CODE, REFRESH_TOKEN, TOKEN_EXCHANGE, CIBA]
    asked = frozenset(_list(body, "grant_types", 10) if "grant_types" in body else defaults)
    if not asked <= GRANT_TYPES:
        raise Refusal("registration.metadata", "grant_types names a grant that is not offered.")
    return asked


def _redirect_uris(body: dict[str, Any]) -> tuple[str, ...]:
    uris = body.get("redirect_uris", [])
    if not isinstance(uris, list) or len(uris) > MAX_REDIRECT_URIS:
        raise Refusal("registration.redirect_uri", "redirect_uris is a list of at most 10.")
    if not all(isinstance(u, str) and len(u) <= MAX_URI and is_redirect_uri(u) for u in uris):
        raise Refusal("registration.redirect_uri", "A redirect URI is not one that is accepted.")
    return tuple(uris)


def _delivery_mode(body: dict[str, Any]) -> str:
    mode = body.get("backchannel_token_delivery_mode", POLL)
    if mode not in DELIVERY_MODES:
        raise Refusal("registration.metadata", "That delivery mode is not offered.")
    where = body.get("backchannel_client_notification_endpoint")
    if (mode != POLL) != (where is not None):
        raise Refusal("registration.metadata", "ping, push and where to come together.")
    return str(mode)


def _notification_endpoint(body: dict[str, Any], settings: Settings) -> str | None:
    """Return where the client is told. CIBA Core §4: "It MUST be an HTTPS URL".

    What an administrator has opened on private addresses is for declared agents alone.
    """
    uri = body.get("backchannel_client_notification_endpoint")
    if uri is None:
        return None
    is_uri = isinstance(uri, str) and len(uri) <= MAX_URI and is_redirect_uri(uri)
    is_https = is_uri and uri.startswith("https:")
    if not is_https or urlsplit(uri).hostname in settings.agents.private_hosts:
        raise Refusal("registration.metadata", "The notification endpoint is not accepted.")
    return str(uri)


def _auth_method(body: dict[str, Any]) -> str:
    method = body.get("token_endpoint_auth_method", "private_key_jwt")
    if method not in AUTH_METHODS:
        raise Refusal("registration.metadata", "That token_endpoint_auth_method is not offered.")
    return str(method)


def _request_signing_alg(body: dict[str, Any]) -> str | None:
    alg = body.get(REQUEST_SIGNING_ALG)
    if alg is not None and alg not in ALGORITHMS:
        raise Refusal("registration.metadata", f"That {REQUEST_SIGNING_ALG} is not offered.")
    return alg


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Refusal("registration.metadata", f"{name} is true or false.")
    return value


def _numeric_date(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**40:
        raise Refusal("registration.metadata", f"{name} is a NumericDate.")
    return value
