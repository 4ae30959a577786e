"""Finding the server's endpoints through its metadata (RFC 8414): no path is assumed."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .errors import IntrospectionError
from .flow import Ask, Flow

_WELL_KNOWN = "/.well-known/oauth-authorization-server"

Metadata = Mapping[str, Any]


def discover(issuer: str) -> Flow[Metadata]:
    """Read the metadata of `issuer`. :rfc:`8414#section-3`.

    :raises IntrospectionError: when there is none, or it is another issuer's
    """
    url = urlsplit(_validate_secure(issuer))
    metadata = yield Ask("GET", f"{url.scheme}://{url.netloc}{_WELL_KNOWN}{url.path.rstrip('/')}")
    # RFC 8414 §3.3: the issuer in it MUST be identical, else it is another server's.
    if metadata.get("issuer") != issuer:
        raise IntrospectionError(f"{issuer} has no metadata of its own")
    return metadata


def get_endpoint(metadata: Metadata, name: str) -> str:
    """Return the URL of an endpoint.

    :raises IntrospectionError: when there is none, or one where others could listen
    """
    url = metadata.get(name)
    if not isinstance(url, str):
        raise IntrospectionError(f"{metadata['issuer']} has no {name}")
    return _validate_secure(url)


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
