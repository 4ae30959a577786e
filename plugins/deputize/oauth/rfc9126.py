"""Pushed Authorization Requests (:rfc:`9126`): what is asked never passes through a browser.

A client sends its authorization request to the server itself, authenticated, and the
browser only carries a reference to it::

    +--------+  POST the authorization request  +---------------+
    |        | -------------------------------> |               |
    | client | <-- request_uri, expires_in ---- | authorization |
    +--------+                                  |    server     |
        |  client_id, request_uri               |               |
        +----> browser -----------------------> |               |
                                                +---------------+

What a request may ask, and where it is kept, is the subclass's business.
"""

from collections.abc import Mapping
from typing import Any

from authlib.consts import default_json_headers

from .errors import InvalidRequestError
from .server import Answer

#: §2.2: what a reference is appended to.
REQUEST_URI = "urn:ietf:params:oauth:request_uri:"

Parameters = Mapping[str, list[str]]

#: How the client proves who it is: no part of what it asks.
_AUTHENTICATION = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class PushedRequestEndpoint:
    """The pushed authorization request endpoint.

    Subclasses implement :meth:`validate_request` and :meth:`store_request`.
    """

    def create_response(self, client: Any, given: Parameters) -> Answer:
        """Answer a push of an authenticated `client`. :rfc:`9126#section-2.2`.

        :param given: the parameters of its form
        """
        parameters = read_pushed_parameters(given, client.get_client_id())
        self.validate_request(parameters)
        reference, expires_in = self.store_request(client, parameters)
        told = {"request_uri": REQUEST_URI + reference, "expires_in": expires_in}
        return Answer(201, told, default_json_headers)

    # -- hooks ------------------------------------------------------------------

    def validate_request(self, parameters: Parameters) -> None:
        """Validate the request "as it would an authorization request sent to the
        authorization endpoint". :rfc:`9126#section-2.1`.

        Developers MUST implement this: what is wrong is raised as an `OAuth2Error`.
        """
        raise NotImplementedError()

    def store_request(self, client: Any, parameters: Parameters) -> tuple[str, int]:
        """Keep the request; return a reference to it, and the seconds that it is good for.

        Developers MUST implement this: the reference has to be beyond guessing
        (:rfc:`9126#section-7.1`), good for this client alone, and used once.
        """
        raise NotImplementedError()


def read_pushed_parameters(given: Parameters, client_id: str) -> dict[str, list[str]]:
    """Return the authorization request that a push holds, of the client that authenticated.

    :raises InvalidRequestError: for a `request_uri`
    """
    # RFC 9126 §2.1: "The request_uri authorization request parameter is one exception, and it
    # MUST NOT be provided."
    if "request_uri" in given:
        raise InvalidRequestError("A pushed request holds no request_uri.")
    asked = {name: list(values) for name, values in given.items() if name not in _AUTHENTICATION}
    return {**asked, "client_id": [client_id]}


def find_reference(parameters: Parameters) -> str | None:
    """Return the reference in the one `request_uri`; None where it is none that was handed out."""
    (uri, *more) = parameters["request_uri"]
    return uri.removeprefix(REQUEST_URI) if uri.startswith(REQUEST_URI) and not more else None
