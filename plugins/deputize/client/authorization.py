"""Asking a person: the authorization request (RFC 6749 §4.1.1) and what comes back of it.

PKCE with S256 (RFC 7636) always, and by a pushed request (RFC 9126) where that is wanted
or required; the answer is believed only with the `state` that was sent and the `iss` of the
server that was asked (RFC 9207).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from .connection import Connection
from .errors import OAuthError, ProtocolError
from .flow import Flow, Param


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a person was asked, kept until the browser comes back."""

    issuer: str
    redirect_uri: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)

    def code_in(self, callback_url: str) -> str:
        """Return the code in the URL that the browser came back to.

        :raises OAuthError: when the person said no, or the request was refused
        :raises ProtocolError: when it is not this request's answer
        """
        given = {k: v[0] for k, v in parse_qs(urlsplit(callback_url).query).items() if len(v) == 1}
        if not hmac.compare_digest(given.get("state", "").encode(), self.state.encode()):
            raise ProtocolError("the answer is not to the request that was sent: another state")
        # RFC 9207 §2.4: "Clients MUST ... compare the result to the issuer identifier of the
        # authorization server where the authorization request was sent to."
        if given.get("iss") != self.issuer:
            raise ProtocolError("the answer is not from the server that was asked: another iss")
        if "error" in given:
            raise OAuthError(given["error"], given.get("error_description", ""))
        if "code" not in given:
            raise ProtocolError("the answer has no code")
        return given["code"]


def ask(
    connection: Connection,
    redirect_uri: str,
    scope: str,
    resource: Sequence[str],
    push: bool,
) -> Flow[tuple[str, AuthorizationRequest]]:
    """Return the URL to open in the person's browser, and what to keep meanwhile.

    :param push: send the request to the server first, so that the URL only refers to it;
        done as well where the server's metadata requires it
    :raises OAuthError: when the server refuses what was pushed
    :raises ProtocolError: when `push` is wanted and the server takes none
    """
    metadata = connection.metadata
    asked = AuthorizationRequest(
        issuer=metadata.issuer,
        redirect_uri=redirect_uri,
        state=secrets.token_urlsafe(24),
        code_verifier=secrets.token_urlsafe(48),
    )
    parameters: dict[str, Param] = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "resource": list(resource),
        "state": asked.state,
        "code_challenge": _challenge(asked.code_verifier),
        "code_challenge_method": "S256",
    }
    if push or metadata.members.get("require_pushed_authorization_requests") is True:
        parameters = yield from _push(connection, parameters)
    endpoint = metadata.get_endpoint("authorization_endpoint")
    joint = "&" if urlsplit(endpoint).query else "?"
    return f"{endpoint}{joint}{urlencode(parameters, doseq=True)}", asked


def _push(connection: Connection, parameters: dict[str, Param]) -> Flow[dict[str, Param]]:
    """Return what is left for the browser to carry. :rfc:`9126#section-4`."""
    answer = yield from connection.post("pushed_authorization_request_endpoint", **parameters)
    request_uri = answer.get("request_uri")
    if not isinstance(request_uri, str):
        raise ProtocolError("the answer has no request_uri")
    return {"client_id": connection.client_id, "request_uri": request_uri}


def _challenge(verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
