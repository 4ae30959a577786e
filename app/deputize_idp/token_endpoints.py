"""Introspection (:rfc:`7662`) and revocation (:rfc:`7009`) of what this server handed out.

Authlib answers 401 to an unknown `token_type_hint` and 400 to a token of another client;
the first is to be ignored, the second must not tell that the token exists.
"""

from typing import Any

from authlib.oauth2 import rfc7009, rfc7662
from authlib.oauth2.rfc6749 import InvalidRequestError

from .clients import Client
from .codes import RefreshToken, end_families, find_refresh_token
from .database import db
from .settings import current_settings
from .tokens import AccessToken, find_access_token, revoke_access_token

Token = AccessToken | RefreshToken


class IntrospectionEndpoint(rfc7662.IntrospectionEndpoint):
    """A client learns about its own tokens; a service that `may_introspect`, about all."""

    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def check_params(self, request: Any, _client: Client) -> None:
        """:raises InvalidRequestError: without a token."""
        _require_token(request)

    def query_token(self, token_string: str, _hint: str | None) -> Token | None:
        """Find it, whatever the hint (:rfc:`7662#section-2.1`)."""
        return _find(token_string)

    def check_permission(self, token: Token, client: Client, _request: Any) -> bool:
        """Whether the client may learn about the token."""
        return client.may_introspect or token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """:rfc:`7662#section-2.2`."""
        family = token.family
        claims = {
            "active": True,
            "iss": current_settings().issuer,
            "client_id": family.client_id,
            "sub": family.person_id or family.client_id,
            "username": family.person.username if family.person else None,
            "scope": token.get_scope(),
            "token_type": "Bearer" if isinstance(token, AccessToken) else None,
            "iat": token.issued_at,
            "exp": token.expires_at,
        }
        return {name: value for name, value in claims.items() if value is not None}


class RevocationEndpoint(rfc7009.RevocationEndpoint):
    """An access token ends alone; a refresh token ends all that came of the same consent."""

    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def authenticate_token(self, request: Any, client: Client) -> Token | None:
        """The client's own token; another's is to it as if there were none."""
        _require_token(request)
        token = _find(request.form["token"])
        return token if token and token.check_client(client) else None

    def revoke_token(self, token: Token, _request: Any) -> None:
        """:rfc:`7009#section-2.1`."""
        if isinstance(token, AccessToken):
            revoke_access_token(token)
        else:
            end_families(id=token.family_id)
        db.session.commit()


def _require_token(request: Any) -> None:
    if "token" not in request.form:
        raise InvalidRequestError("token is missing.")


def _find(value: str) -> Token | None:
    return find_access_token(value) or find_refresh_token(value)
