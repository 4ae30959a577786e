"""Who a client is (:rfc:`6749#section-2.3`): one method per request, and one answer for an
unknown client, a wrong secret and a method that is not the client's.

Authlib tries several methods in turn, tells an unknown client from a wrong secret, and
fails on a header that is not UTF-8; hence its own file here.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Error
from flask import Request

from .clients import Client, find_client, is_secret_of

REFUSED = "The client is unknown, or did not authenticate as it is registered to."


class Credentials(NamedTuple):
    """What a request says about who sends it."""

    method: str
    client_id: str
    secret: str


class ClientAuthenticationError(InvalidClientError):
    """401 `invalid_client`, with the challenge that :rfc:`7617#section-2` asks for."""

    def __init__(self) -> None:
        super().__init__(REFUSED, status_code=401)

    def get_headers(self) -> list[tuple[str, str]]:
        """Authlib's headers with a realm, which it leaves out."""
        challenge = f'Basic realm="OAuth clients", charset="UTF-8", error="{self.error}"'
        return [*OAuth2Error.get_headers(self), ("WWW-Authenticate", challenge)]


def authenticate_client(
    request: Request, parameters: dict[str, str], methods: Sequence[str], endpoint: str
) -> tuple[Client, str]:
    """The client that sends this request, and by which method it said so.

    :raises InvalidRequestError: if it uses two methods, or names two clients.
    :raises ClientAuthenticationError: in every other case.
    """
    credentials = read_credentials(request, parameters)
    client = find_client(credentials.client_id)
    has_secret = is_secret_of(client, credentials.secret)
    known = client is not None and (has_secret or credentials.method == "none")
    if not (client and known and credentials.method in methods):
        raise ClientAuthenticationError
    if not client.check_endpoint_auth_method(credentials.method, endpoint):
        raise ClientAuthenticationError
    return client, credentials.method


def read_credentials(request: Request, parameters: dict[str, str]) -> Credentials:
    """The one set of credentials of a request.

    :raises InvalidRequestError: :rfc:`6749#section-2.3`, "the client MUST NOT use more than
        one authentication method in each request".
    """
    client_id, secret = parameters.get("client_id", ""), parameters.get("client_secret")
    header = request.headers.get("Authorization")
    if header is None:
        return Credentials("client_secret_post" if secret else "none", client_id, secret or "")
    basic = _basic(request)
    if secret is not None:
        raise InvalidRequestError("The request uses two ways to authenticate the client.")
    if client_id and client_id != basic.client_id:
        raise InvalidRequestError("The request names two clients.")
    return basic


def _basic(request: Request) -> Credentials:
    """Both halves are form-encoded first (:rfc:`6749#section-2.3.1`); a bare `+` stays."""
    header = request.authorization
    if header is None or header.type != "basic":
        raise ClientAuthenticationError
    name, secret = unquote(header.username or ""), unquote(header.password or "")
    if "\0" in name + secret:
        raise ClientAuthenticationError  # PostgreSQL can't look it up
    return Credentials("client_secret_basic", name, secret)
