"""Clients: the applications that people sign in to, and the services that introspect.

Secrets are kept as SHA-256: they are random and long, so that a slow hash would protect
nothing. Redirect URIs match exactly, but for the port on loopback (:rfc:`8252#section-7.3`).
"""

# mypy: disable-error-code="override, no-untyped-call"
# (the stubs know the abstract classes of Authlib, not what its hooks may return)

import re
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from .clock import now
from .codes import end_families
from .database import Base, db
from .declared import DeclarationError, Declared, declare
from .secrets_at_rest import hashed
from .settings import is_loopback

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
MIN_SECRET = 24
CLIENT_ID = re.compile(r"[A-Za-z0-9._~:/@-]{1,200}")
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?((?:[/?].*)?)")
PRIVATE_USE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
NO_SECRET = hashed("")


class Client(ClientMixin, Base):
    """An OAuth client (:rfc:`6749#section-2`)."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    secret_hash: Mapped[str | None]
    token_endpoint_auth_method: Mapped[str | None]  # None: a secret, presented either way
    redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    grant_types: Mapped[list[str]] = mapped_column(JSON)
    may_introspect: Mapped[bool]
    active: Mapped[bool]
    created_at: Mapped[int] = mapped_column(default=now)

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret (:rfc:`6749#section-2.1`)."""
        return self.secret_hash is None

    def get_client_id(self) -> str:
        """The client identifier."""
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Where to go when the request does not say, if there is but one place."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scope asked for, or all of the client's if none was; None if it asks for more."""
        asked = (scope or " ".join(self.scopes)).split()
        return " ".join(dict.fromkeys(asked)) if set(asked) <= set(self.scopes) else None

    def narrow_scope(self, scope: str) -> str:
        """What is left of a scope that was granted when the client was allowed more."""
        return " ".join(name for name in scope.split() if name in self.scopes)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether a redirect URI is one of the client's."""
        wanted = without_loopback_port(redirect_uri)
        return any(wanted == without_loopback_port(uri) for uri in self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is the client's secret."""
        return is_secret_of(self, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client authenticates this way; the same at every endpoint."""
        if self.is_public or self.token_endpoint_auth_method:
            return method == (self.token_endpoint_auth_method or "none")
        return method in AUTH_METHODS[:2]

    def check_response_type(self, response_type: str) -> bool:
        """Whether the client may ask for a code."""
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use a grant."""
        return grant_type in self.grant_types


def declare_client(
    client_id: str,
    *,
    name: str | None = None,
    client_secret: str | None = None,
    token_endpoint_auth_method: str | None = None,
    redirect_uris: Iterable[str] = (),
    post_logout_redirect_uris: Iterable[str] = (),
    scopes: Iterable[str] = (),
    grant_types: Iterable[str] | None = None,
    may_introspect: bool = False,
    active: bool = True,
) -> Declared:
    """Make a client, or bring it to what is written here; commits.

    Without `client_secret` the client keeps the one it has; with `none` as method it has
    none. Without `grant_types` a client with redirect URIs signs people in, and one without
    acts for itself. A client made inactive loses all that it was given.

    :raises DeclarationError: naming the key that can't be.
    """
    client = db.session.get(Client, client_id)
    uris = _validated_uris("redirect_uris", redirect_uris)
    declared = declare(
        Client,
        client,
        client_id=_validated("client_id", client_id, CLIENT_ID),
        name=name or client_id,
        secret_hash=_secret_hash(client, client_secret, token_endpoint_auth_method),
        token_endpoint_auth_method=_validated_method(token_endpoint_auth_method),
        redirect_uris=uris,
        post_logout_redirect_uris=_validated_uris(
            "post_logout_redirect_uris", post_logout_redirect_uris
        ),
        scopes=[_validated("scopes", scope, SCOPE) for scope in scopes],
        grant_types=_validated_grant_types(grant_types, uris),
        may_introspect=may_introspect,
        active=active,
    )
    if not active:
        end_families(client_id=client_id)
    db.session.commit()
    return declared


def find_client(client_id: str | None) -> Client | None:
    """The active client with this identifier."""
    client = db.session.get(Client, client_id) if client_id else None
    return client if client and client.active else None


def is_secret_of(client: Client | None, secret: str) -> bool:
    """Whether a client has this secret, in the same time for a client that there is not."""
    stored = client.secret_hash if client else None
    return secrets.compare_digest(stored or NO_SECRET, hashed(secret)) and stored is not None


def find_redirect_uri(parameters: dict[str, str]) -> str | None:
    """Where an authorization request will end, if it is a client's own redirect URI."""
    client, uri = find_client(parameters.get("client_id")), parameters.get("redirect_uri")
    if client is None or uri is None:
        return client.get_default_redirect_uri() if client else None
    return uri if client.check_redirect_uri(uri) else None


def without_loopback_port(uri: str) -> str:
    """A redirect URI with its port left out, if it is http on a loopback address."""
    match = LOOPBACK.fullmatch(uri)
    return match[1] + match[2] if match else uri


def _secret_hash(client: Client | None, secret: str | None, method: str | None) -> str | None:
    if method == "none":
        return None
    if secret is None:
        return client.secret_hash if client else None
    if len(secret) < MIN_SECRET:
        raise DeclarationError(f"client_secret: {MIN_SECRET} characters at least")
    return hashed(secret)


def _validated_method(method: str | None) -> str | None:
    if method is not None and method not in AUTH_METHODS:
        raise DeclarationError(f"token_endpoint_auth_method: one of {', '.join(AUTH_METHODS)}")
    return method


def _validated_grant_types(grant_types: Iterable[str] | None, uris: list[str]) -> list[str]:
    default = GRANT_TYPES[:2] if uris else GRANT_TYPES[2:]
    chosen = list(default if grant_types is None else grant_types)
    if unknown := set(chosen) - set(GRANT_TYPES):
        raise DeclarationError(f"grant_types: unknown: {', '.join(sorted(unknown))}")
    return chosen


def _validated_uris(key: str, uris: Iterable[str]) -> list[str]:
    """Absolute, without fragment (:rfc:`6749#section-3.1.2`) or user info, and no script."""
    return [_validated_uri(key, uri) for uri in uris]


def _validated_uri(key: str, uri: str) -> str:
    parts = _split(uri)
    if parts is None or "#" in uri or parts.username is not None:
        raise DeclarationError(f"{key}: {uri!r} is no absolute URI without fragment")
    is_web = parts.scheme == "https" and bool(parts.hostname)
    is_local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not (is_web or is_local or PRIVATE_USE_SCHEME.fullmatch(parts.scheme)):
        raise DeclarationError(
            f"{key}: {uri!r} is neither https, nor http on loopback, nor a "
            "private-use scheme such as com.example.app"
        )
    return uri


def _split(uri: str) -> Any:
    try:
        return urlsplit(uri) if uri.isascii() and uri.isprintable() and " " not in uri else None
    except ValueError:
        return None


def _validated(key: str, value: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        raise DeclarationError(f"{key}: {value!r} has characters that are not allowed there")
    return value
