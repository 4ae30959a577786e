"""Asking the server about a token (RFC 7662): introspection decides, and nothing else does.

It fails closed: a server that can't be asked raises, and never lets anyone in.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx

from .access import Access, read_access

TIMEOUT = 5  # seconds

_WELL_KNOWN = "/.well-known/oauth-authorization-server"


class IntrospectionError(Exception):
    """The server could not be asked, or its answer is not one: answer 503, let nobody in."""


class Introspector:
    """A resource server's way to the server that issues its tokens; threads may share it.

    :param client_id: what the resource server authenticates with, with `client_secret`
    :param http: what requests are sent with, where the usual one does not do
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        http: httpx.Client | None = None,
    ) -> None:
        self.issuer = issuer
        self._auth = httpx.BasicAuth(quote_plus(client_id), quote_plus(client_secret))
        self._http = http or httpx.Client(timeout=TIMEOUT)
        self._endpoint: str | None = None

    def check(self, token: str | None, audience: str) -> Access | None:
        """Return what the bearer of `token` may do at `audience`, or None for nothing.

        :param audience: this resource server's identifier, as tokens name it in `aud`
        :raises IntrospectionError: when the server can't be asked
        """
        if not token:
            return None
        claims = self._ask(token)
        if claims.get("active") is not True:
            return None
        try:
            access = read_access(claims)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise IntrospectionError("the answer lacks what decides") from error
        # RFC 9068 §4: reject a token whose "aud" does not name this resource server.
        is_ours = claims.get("iss") == self.issuer and audience in _audiences(claims)
        return access if is_ours else None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, token: str) -> Mapping[str, Any]:
        if self._endpoint is None:
            self._endpoint = self._discover()
        request = self._http.build_request(
            "POST", self._endpoint, data={"token": token, "token_type_hint": "access_token"}
        )
        return self._send(request, auth=self._auth)

    def _discover(self) -> str:
        url = urlsplit(_validate_secure(self.issuer))
        where = f"{url.scheme}://{url.netloc}{_WELL_KNOWN}{url.path.rstrip('/')}"
        metadata = self._send(self._http.build_request("GET", where))
        # RFC 8414 §3.3: the issuer in it MUST be identical, else it is another server's.
        endpoint = metadata.get("introspection_endpoint")
        if metadata.get("issuer") != self.issuer or not isinstance(endpoint, str):
            raise IntrospectionError(f"{self.issuer} has no introspection endpoint")
        return _validate_secure(endpoint)

    def _send(self, request: httpx.Request, auth: httpx.Auth | None = None) -> Mapping[str, Any]:
        try:
            answer = self._http.send(request, auth=auth, follow_redirects=False)
            body = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise IntrospectionError(f"{request.url}: {_reason(error)}") from error
        if not isinstance(body, dict):
            raise IntrospectionError(f"{request.url}: not a JSON object")
        return body


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return "not JSON" if isinstance(error, ValueError) else type(error).__name__


def _audiences(claims: Mapping[str, Any]) -> list[Any]:
    # RFC 7519 §4.1.3: one string, or a list of them.
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _validate_secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return url
    raise IntrospectionError(f"{url} is not https")


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
