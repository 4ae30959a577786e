"""The registered error codes that Authlib lacks, one class each.

:rfc:`8693` and :rfc:`8707` name `invalid_target`; OpenID Connect Core §3.1.2.6 names
`interaction_required`; :rfc:`9396` names `invalid_authorization_details`; :rfc:`7591`
names the two of client registration; :rfc:`6750` names `insufficient_scope`.
"""

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)

__all__ = [
    "AccessDeniedError",
    "ClientNotAuthenticatedError",
    "InteractionRequiredError",
    "InvalidAuthorizationDetailsError",
    "InvalidClientError",
    "InvalidClientMetadataError",
    "InvalidGrantError",
    "InvalidRedirectUriError",
    "InvalidRequestError",
    "InvalidScopeError",
    "InvalidTargetError",
    "InvalidTokenError",
    "OAuth2Error",
    "TemporarilyUnavailableError",
    "UnauthorizedClientError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "describe",
]


class AccessDeniedError(OAuth2Error):
    """Who asks is known, and may not do this. :rfc:`6749#section-4.1.2.1`."""

    error = "access_denied"
    status_code = 403


class InvalidTargetError(OAuth2Error):
    """The resource or audience is unknown, malformed or not allowed. :rfc:`8707#section-2`."""

    error = "invalid_target"


class InteractionRequiredError(OAuth2Error):
    """The person must be asked before this can be granted."""

    error = "interaction_required"


class InvalidAuthorizationDetailsError(OAuth2Error):
    """A detail is unknown, malformed or beyond what is held. :rfc:`9396#section-5`."""

    error = "invalid_authorization_details"


class ClientNotAuthenticatedError(InvalidClientError):
    """Client authentication failed, however it was tried. :rfc:`6749#section-5.2`."""

    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        # RFC 9110 §15.5.2 asks for a challenge in every 401, RFC 7617 §2 for its realm.
        challenge = f'Basic realm="OAuth clients", charset="UTF-8", error="{self.error}"'
        return [*default_json_headers, ("WWW-Authenticate", challenge)]


class InvalidClientMetadataError(OAuth2Error):
    """A member of a registration is wrong. :rfc:`7591#section-3.2.2`."""

    error = "invalid_client_metadata"


class InvalidRedirectUriError(OAuth2Error):
    """A redirection URI of a registration is wrong. :rfc:`7591#section-3.2.2`."""

    error = "invalid_redirect_uri"


class TemporarilyUnavailableError(OAuth2Error):
    """Try again in a moment. :rfc:`6749#section-4.1.2.1`."""

    error = "temporarily_unavailable"
    status_code = 503


class InvalidTokenError(OAuth2Error):
    """A bearer token at one of the server's own APIs is not good here. :rfc:`6750#section-3.1`."""

    error = "invalid_token"
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), ("WWW-Authenticate", f'Bearer error="{self.error}"')]


def describe(text: str) -> str:
    """Return `text` with what an `error_description` cannot hold replaced (RFC 6749 §5.2)."""
    forbidden = invalid_error_characters(text)
    return "".join("?" if character in forbidden else character for character in text)
