"""The registered error codes that Authlib lacks, one class each.

:rfc:`8693` and :rfc:`8707` name `invalid_target`; OpenID Connect Core §3.1.2.6 names
`interaction_required`; :rfc:`9396` names `invalid_authorization_details`; :rfc:`7591`
names the two of client registration; :rfc:`6750` names `insufficient_scope`.
"""

from typing import Any

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
    "ApprovalDeniedError",
    "AuthorizationPendingError",
    "ClientNotAuthenticatedError",
    "ExpiredLoginHintTokenError",
    "ExpiredTokenError",
    "InsufficientScopeError",
    "InteractionRequiredError",
    "InvalidAuthorizationDetailsError",
    "InvalidBindingMessageError",
    "InvalidClientError",
    "InvalidClientMetadataError",
    "InvalidGrantError",
    "InvalidRedirectUriError",
    "InvalidRequestError",
    "InvalidScopeError",
    "InvalidTargetError",
    "InvalidTokenError",
    "InvalidUserCodeError",
    "MissingUserCodeError",
    "NotFoundError",
    "NotYetError",
    "OAuth2Error",
    "SlowDownError",
    "TemporarilyUnavailableError",
    "TooManyRequestsError",
    "UnauthorizedClientError",
    "UnknownUserIdError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "describe",
]


class AccessDeniedError(OAuth2Error):
    """Who asks is known, and may not do this. :rfc:`6749#section-4.1.2.1`."""

    error = "access_denied"
    status_code = 403


class ApprovalDeniedError(OAuth2Error):
    """The person said no, or is not asked. CIBA Core §11, at the token endpoint."""

    error = "access_denied"


class NotYetError(OAuth2Error):
    """No answer yet; nothing went wrong, and nothing is told to the audit trail.

    The request used up its client assertion where this was raised.

    :param members: more of the answer
    """

    def __init__(self, **members: Any) -> None:
        super().__init__()
        self.members = members

    def get_body(self) -> list[tuple[Any, Any]]:  # type: ignore[override, unused-ignore]
        return [*super().get_body(), *self.members.items()]


class AuthorizationPendingError(NotYetError):
    """The person has not decided yet. CIBA Core §11."""

    error = "authorization_pending"


class SlowDownError(NotYetError):
    """The client polls too often: the interval has grown by five seconds. CIBA Core §11."""

    error = "slow_down"


class ExpiredTokenError(OAuth2Error):
    """The `auth_req_id` has expired. CIBA Core §11."""

    error = "expired_token"


class UnknownUserIdError(OAuth2Error):
    """The hint names nobody who could be asked. CIBA Core §13."""

    error = "unknown_user_id"


class ExpiredLoginHintTokenError(OAuth2Error):
    """The `login_hint_token` is not good any more. CIBA Core §13."""

    error = "expired_login_hint_token"


class InvalidBindingMessageError(OAuth2Error):
    """The `binding_message` cannot be shown. CIBA Core §13."""

    error = "invalid_binding_message"


class MissingUserCodeError(OAuth2Error):
    """The client asks people by their code, and sent none. CIBA Core §13."""

    error = "missing_user_code"


class InvalidUserCodeError(OAuth2Error):
    """The `user_code` is not that of whom the hint names, if it names anybody. CIBA Core §13."""

    error = "invalid_user_code"


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


class TooManyRequestsError(TemporarilyUnavailableError):
    """The client asked too often in a short time. :rfc:`9126#section-2.3`."""

    status_code = 429


class InvalidTokenError(OAuth2Error):
    """A bearer token at one of the server's own APIs is not good here. :rfc:`6750#section-3.1`."""

    error = "invalid_token"
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), ("WWW-Authenticate", f'Bearer error="{self.error}"')]


class InsufficientScopeError(InvalidTokenError):
    """The bearer token is good, and not for this. :rfc:`6750#section-3.1`."""

    error = "insufficient_scope"
    status_code = 403


class NotFoundError(OAuth2Error):
    """There is no such thing, or it is not theirs who ask."""

    error = "not_found"
    status_code = 404


def describe(text: str) -> str:
    """Return `text` with what an `error_description` cannot hold replaced (RFC 6749 §5.2)."""
    forbidden = invalid_error_characters(text)
    return "".join("?" if character in forbidden else character for character in text)
