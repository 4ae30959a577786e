"""A token endpoint grant with types: the one place where Authlib's loose ones are met."""

from collections.abc import Collection
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from .errors import (
    InvalidAuthorizationDetailsError,
    InvalidRequestError,
    InvalidTargetError,
    UnauthorizedClientError,
)
from .rfc9396 import Detail, read_authorization_details

TokenResponse = tuple[int, dict[str, Any], Collection[tuple[str, str]]]


class TokenGrant(BaseGrant, TokenEndpointMixin):
    """A grant that authenticates its client first, then reads its parameters.

    Subclasses implement :meth:`read_request` and :meth:`issue_token`.
    """

    #: Whether the grant reads `authorization_details` (RFC 9396 §6); else they are refused.
    UNDERSTANDS_DETAILS: ClassVar[bool] = False

    #: Whether the grant reads `audience` (RFC 8693 §2.1); else it is refused, never dropped.
    TAKES_AUDIENCE: ClassVar[bool] = False

    #: What a client that may not use the grant is told.
    UNAUTHORIZED: ClassVar[str] = "The client may not use this grant."

    def validate_token_request(self) -> None:
        """Authenticate the client, then read the request. :rfc:`6749#section-3.2.1`."""
        self.request.client = client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(str(self.GRANT_TYPE)):
            raise UnauthorizedClientError(self.UNAUTHORIZED)
        if "authorization_details" in self.form and not self.UNDERSTANDS_DETAILS:
            raise InvalidAuthorizationDetailsError("This grant takes none.")
        if "audience" in self.form and not self.TAKES_AUDIENCE:
            raise InvalidTargetError("This grant takes no audience.")
        self.read_request()

    def create_token_response(self) -> TokenResponse:  # type: ignore[override]
        """Answer with the token. :rfc:`6749#section-5.1`."""
        return 200, self.issue_token(), self.TOKEN_RESPONSE_HEADER

    @property
    def form(self) -> dict[str, str]:
        """The request's parameters, each once."""
        form: dict[str, str] = self.request.form
        return form

    def required(self, name: str) -> str:
        """Return a parameter.

        :raises InvalidRequestError: where the request lacks it
        """
        if name not in self.form:
            raise InvalidRequestError(f"Missing {name} in request.")
        return self.form[name]

    def single(self, name: str) -> str | None:
        """Return the one value of a parameter that may be repeated: a token is for one target.

        :raises InvalidTargetError: for more than one. :rfc:`8707#section-2.2`
        """
        values: list[str] = self.request.payload.datalist.get(name, [])  # type: ignore[union-attr]
        if len(values) > 1:
            raise InvalidTargetError(f"A token is for one target: name one {name}.")
        return values[0] if values else None

    def scope(self) -> frozenset[str] | None:
        """Return the scope asked for, None where the request names none."""
        return frozenset(self.form["scope"].split()) if "scope" in self.form else None

    def authorization_details(self) -> tuple[Detail, ...] | None:
        """Return the details asked for, None where the request names none.

        :raises InvalidAuthorizationDetailsError: :rfc:`9396#section-5`
        """
        text = self.form.get("authorization_details")
        return None if text is None else read_authorization_details(text)

    # -- hooks ------------------------------------------------------------------

    def read_request(self) -> None:
        """Read and validate the grant's own parameters."""
        raise NotImplementedError()

    def issue_token(self) -> dict[str, Any]:
        """Return the members of the token response."""
        raise NotImplementedError()
