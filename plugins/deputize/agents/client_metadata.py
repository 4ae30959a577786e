"""Client metadata (RFC 7591 §2): what a client says of itself, read and never trusted."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..catalogue.models import RESERVED_SCOPES
from ..core.refusal import Refusal
from ..core.values import Words, is_resource_identifier, words
from ..oauth.ciba import CIBA, DELIVERY_MODES, POLL
from ..settings import Settings
from .jwks import read_jwks
from .models import AUTHORIZATION_CODE, GRANT_TYPES, REFRESH_TOKEN, TOKEN_EXCHANGE
from .signed import ALGORITHMS

AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
MAX_REDIRECT_URIS = 10
#: CIBA Core §4: client metadata.
REQUEST_SIGNING_ALG = "backchannel_authentication_request_signing_alg"
USER_CODE_PARAMETER = "backchannel_user_code_parameter"
MAX_URI = 2048


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
