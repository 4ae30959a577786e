"""The grants: authorization code with PKCE, refresh token, client credentials.

Authlib validates and asks; what is spent and what is made meet in `save_grant`, in one
transaction that begins with the compare-and-set.
"""

# mypy: disable-error-code="override, no-untyped-call"
# (the stubs know the abstract classes of Authlib, not what its hooks may return)

import re
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc7636 import CodeChallenge

from .clients import Client
from .codes import (
    AuthorizationCode,
    Family,
    RefreshToken,
    add_code,
    add_refresh_token,
    end_families,
    find_code,
    find_refresh_token,
    redeem_code,
    use_refresh_token,
)
from .database import db
from .people import Person
from .secrets_at_rest import random_token
from .settings import current_settings
from .tokens import add_access_token

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    """:rfc:`6749#section-4.1`."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def generate_authorization_code(self) -> str:
        """A code of 256 random bits."""
        return random_token()

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep the code's hash, and what the person consented to."""
        session, data = request.session, request.payload.data
        family = Family(
            client_id=request.client.client_id,
            person_id=request.user.id,
            scope=request.scope,
            auth_time=session.auth_time,
            acr=session.acr,
            amr=session.amr,
        )
        names = ("redirect_uri", "nonce", "code_challenge")
        add_code(code, family=family, **{name: data.get(name) for name in names})

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """The code, if it was issued to this client."""
        found = find_code(code)
        return found if found and found.family.client_id == client.client_id else None

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Person | None:
        """The person who consented, unless they have left meanwhile."""
        return _person(authorization_code.family)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Nothing: it was spent when the token was saved, and stays to be recognised."""


class ProofKey(CodeChallenge):
    """PKCE by S256 for every client. Authlib's own binds public clients, and takes `plain`."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """:rfc:`9700#section-2.1.1`. The default method is `plain`, so it must be named."""
        data = grant.request.payload.data
        challenge, method = data.get("code_challenge", ""), data.get("code_challenge_method")
        if method != "S256" or not S256_CHALLENGE.fullmatch(challenge):
            raise InvalidRequestError("code_challenge with code_challenge_method=S256 is required.")

    def get_authorization_code_challenge_method(self, _code: AuthorizationCode) -> str:
        """The only one."""
        return "S256"


class RefreshTokenGrant(grants.RefreshTokenGrant):
    """:rfc:`6749#section-6`, rotated (:rfc:`9700#section-4.14.2`)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        """The token, used ones included: only the compare-and-set tells whether it is."""
        found = find_refresh_token(refresh_token)
        return found if found and not found.is_expired() and found.family.is_alive else None

    def authenticate_user(self, refresh_token: RefreshToken) -> Person | None:
        """The person who consented."""
        return _person(refresh_token.family)

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Nothing: it was spent when the new one was saved."""


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """:rfc:`6749#section-4.4`: a client for itself, thus without scopes about a person."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS[:2]

    def validate_requested_scope(self) -> None:
        """:raises InvalidScopeError: if it asks for more than it has, or about a person."""
        request: Any = self.request
        asked, about_people = request.payload.scope, set(current_settings().scopes)
        own = [scope for scope in self.client.scopes if scope not in about_people]
        wanted = asked.split() if asked else own
        if not set(wanted) <= set(own):
            raise InvalidScopeError
        request.scope = " ".join(dict.fromkeys(wanted))

    def create_token_response(self) -> tuple[int, Any, Any]:
        """Issue the token, for the scope as it was resolved."""
        token = self.generate_token(scope=self.request.scope, include_refresh_token=False)
        self.save_token(token)
        return 200, token, self.TOKEN_RESPONSE_HEADER


def make_token(
    *, client: Client, scope: str | None, include_refresh_token: bool, **_authlib: Any
) -> dict[str, Any]:
    """The answer of the token endpoint (:rfc:`6749#section-5.1`)."""
    token = {
        "token_type": "Bearer",
        "access_token": random_token(),
        "expires_in": current_settings().access_token_lifetime,
        "scope": client.narrow_scope(scope or ""),
    }
    return token | ({"refresh_token": random_token()} if include_refresh_token else {})


def save_grant(token: dict[str, Any], request: Any) -> None:
    """Spend what was presented and keep what is handed out, or neither.

    :raises InvalidGrantError: if it was spent before; then all that came of it has ended.
    """
    spent: AuthorizationCode | RefreshToken | None
    spent = request.authorization_code or request.refresh_token
    if spent is not None and not _spend(spent):
        end_families(id=spent.family_id)
        db.session.commit()
        raise InvalidGrantError("It was used before. Everything that came of it has ended.")
    family = spent.family if spent else Family(client_id=request.client.client_id, scope="")
    add_access_token(
        token["access_token"],
        family=family,
        scope=token["scope"],
        expires_in=token["expires_in"],
    )
    if "refresh_token" in token:
        add_refresh_token(token["refresh_token"], family)
    db.session.commit()


def _spend(spent: AuthorizationCode | RefreshToken) -> bool:
    if isinstance(spent, AuthorizationCode):
        return redeem_code(spent)
    return use_refresh_token(spent)


def _person(family: Family) -> Person | None:
    if not family.is_alive:
        raise InvalidGrantError("What this came of has ended.")
    return family.person
