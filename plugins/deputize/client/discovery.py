"""Finding the server's endpoints through its metadata (RFC 8414): no path is assumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .errors import ProtocolError
from .flow import Ask, Flow

_WELL_KNOWN = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the server says of itself. :rfc:`8414#section-2`."""

    issuer: str
    members: Mapping[str, Any] = field(repr=False)

    def get_endpoint(self, name: str) -> str:
        """Return the URL of an endpoint, `token_endpoint` say.

        :raises ProtocolError: when the server has none, or one that would send secrets in clear
        """
        url = self.members.get(name)
        if not isinstance(url, str):
            raise ProtocolError(f"{self.issuer} has no {name}")
        return validate_secure(url)


def discover(issuer: str) -> Flow[Metadata]:
    """Read the metadata of `issuer`. :rfc:`8414#section-3`.

    :raises ProtocolError: when there is none, or it is another issuer's
    """
    answer = yield Ask("GET", _well_known_url(validate_secure(issuer)))
    try:
        members = answer.json() if answer.status_code == 200 else None
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise ProtocolError(f"{issuer} has no metadata: HTTP {answer.status_code}")
    # RFC 8414 §3.3: "The "issuer" value returned MUST be identical to the authorization
    # server's issuer identifier value into which the well-known URI string was inserted".
    if members.get("issuer") != issuer:
        raise ProtocolError(f"the metadata of {issuer} is another issuer's")
    return Metadata(issuer, members)


def _well_known_url(issuer: str) -> str:
    # RFC 8414 §3.1: inserted "between the host component and the path component".
    url = urlsplit(issuer)
    return f"{url.scheme}://{url.netloc}{_WELL_KNOWN}{url.path.rstrip('/')}"


def validate_secure(url: str) -> str:
    """Return `url`, unless what is sent there could be overheard. :rfc:`6750#section-5.3`.

    :raises ProtocolError: for what is neither https nor this machine
    """
    parts = urlsplit(url)
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))
    if not is_secure or not parts.hostname:
        raise ProtocolError(f"{url} is not https")
    return url


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
