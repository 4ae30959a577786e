"""Access tokens at this server's own API (:rfc:`6750`): in the `Authorization` header, never
in a URL or a form.
"""

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Request

from .tokens import AccessToken, find_access_token


class BearerError(OAuth2Error):
    """A refusal with the challenge of :rfc:`6750#section-3`."""

    status_code = 401
    error = "invalid_token"
    description = "A bearer token that is valid here is required."

    def get_headers(self) -> list[tuple[str, str]]:
        """The challenge beside Authlib's headers."""
        return [*super().get_headers(), ("WWW-Authenticate", f"Bearer {self.challenge()}")]

    def challenge(self) -> str:
        """What was wrong with the token that was tried."""
        return f'error="{self.error}", error_description="{self.description}"'


class TokenRequiredError(BearerError):
    """None was tried, so that the challenge SHOULD NOT have an error (section 3.1)."""

    def challenge(self) -> str:
        """Which tokens are good here."""
        return 'realm="identity provider"'


class InsufficientScopeError(BearerError):
    """It is valid, and not for this."""

    status_code = 403
    error = "insufficient_scope"
    description = "The token is not for this."


def require_token(request: Request, scope: str) -> AccessToken:
    """The valid token of a request, if it has a scope.

    :raises BearerError: 401 without a valid token, 403 if it lacks the scope.
    """
    token = find_bearer_token(request)
    if token is None:
        raise BearerError
    if scope not in token.scope.split():
        raise InsufficientScopeError
    return token


def find_bearer_token(request: Request) -> AccessToken | None:
    """The token of a request, None if it is not valid.

    :raises TokenRequiredError: if there is none.
    """
    header = request.authorization
    if header is None or header.type != "bearer" or not header.token:
        raise TokenRequiredError
    token = find_access_token(header.token)
    return None if token is None or token.is_expired() or token.is_revoked() else token
