"""An Authlib authorization server without a web framework, and its strict request.

The request is parsed once and as the RFCs say: "Request and response parameters MUST
NOT be included more than once" (RFC 6749 §3.2), and never in the URL. Responses are
values; whoever binds the server to a framework turns them into its own.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

from .errors import InvalidRequestError, OAuth2Error

#: Parameters that may stand more than once: RFC 8693 §2.1 and RFC 8707 §2.
REPEATABLE = frozenset({"resource", "audience"})


_SECURE = "https://issuer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client.

    :param body: a text as it is; all else as JSON
    """

    status: int
    body: Any
    headers: Sequence[tuple[str, str]]


class FormPayload(OAuth2Payload):
    """The parameters of a form, first values and all values."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values
        self._firsts = {name: given[0] for name, given in values.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._firsts

    @property
    def datalist(self) -> Any:
        return self._values


class FormRequest(OAuth2Request):
    """A POST of `application/x-www-form-urlencoded` parameters to one of the endpoints.

    A parameter without a value counts as omitted (RFC 6749 §3.2).

    :param has_query: whether the URL had a query
    :param is_form: whether the body was of that type
    """

    def __init__(
        self,
        headers: Any,
        form: Mapping[str, list[str]],
        has_query: bool,
        is_form: bool = True,
    ) -> None:
        # Authlib would look at the URL's scheme: the issuer's was checked at start, once.
        super().__init__("POST", _SECURE, headers=headers)
        present = {name: [v for v in values if v] for name, values in form.items()}
        self.values = {name: values for name, values in present.items() if values}
        self.payload = FormPayload(self.values)
        self._firsts = self.payload.data
        self._has_query = has_query
        self._is_form = is_form

    @property
    def args(self) -> dict[str, str | None]:
        return {}

    @property
    def form(self) -> dict[str, str]:
        return self._firsts

    def validate(self) -> None:
        """Refuse what is malformed whatever the endpoint.

        :raises InvalidRequestError: for a repeated parameter, one in the URL, or a NUL
        """
        if self.mistake:
            raise self.mistake

    @cached_property
    def mistake(self) -> InvalidRequestError | None:
        """What is malformed, or None."""
        if not self._is_form:
            return InvalidRequestError("The body is application/x-www-form-urlencoded.")
        if self._has_query:
            return InvalidRequestError("Parameters belong in the body, not in the URL.")
        if any(len(v) > 1 and name not in REPEATABLE for name, v in self.values.items()):
            return InvalidRequestError("A parameter is repeated.")
        if any("\x00" in value for given in self.values.values() for value in given):
            return InvalidRequestError("A parameter holds a NUL character.")
        return None


class ProtocolServer(AuthorizationServer):
    """Authlib's authorization server, bound to nothing.

    :param authenticate: returns the authenticated client of a request, or raises
    """

    def __init__(self, authenticate: Callable[[Any], Any]) -> None:
        super().__init__()
        self._authenticate = authenticate

    def authenticate_client(
        self, request: Any, methods: Collection[str] = (), endpoint: str = "token"
    ) -> Any:
        return self._authenticate(request)

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        return Answer(status, body, headers)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Say nothing: what happens is told by the audit trail."""

    def create_token_response(self, request: FormRequest) -> Answer:  # type: ignore[override]
        """Answer a token request (RFC 6749 §5), malformed ones included."""
        try:
            request.validate()
            if "grant_type" not in request.form:
                raise InvalidRequestError("Missing grant_type in request.")
            grant: Any = self.get_token_grant(request)
            grant.validate_token_request()
            return self.handle_response(*grant.create_token_response())
        except OAuth2Error as error:
            return self.handle_error_response(request, error)

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        return self.handle_response(*error())
