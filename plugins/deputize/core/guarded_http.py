"""Fetching what a stranger's URL names, without becoming the stranger's hand (SSRF).

The name is resolved once, every address it has must be public, and the connection goes
to the address that was checked: a second resolution cannot answer otherwise. No
redirects, no proxies, little time, few bytes.
"""

import ipaddress
import socket
import time
from collections.abc import Collection
from urllib.parse import urlsplit

import httpx

TIMEOUT = 5.0
MAX_BYTES = 65_536


class FetchError(Exception):
    """The document cannot be had; the message is for an operator, not for the client."""


def fetch(url: str, *, private_hosts: Collection[str] = ()) -> bytes:
    """Return the body of `url`, an https URL of a public host.

    :param private_hosts: hosts that may be on private addresses, and by http as well
    :raises FetchError: for what is not allowed, too slow, too large, or no 200
    """
    host, port, is_private = _judge(url, private_hosts)
    address = _resolve(host, port, is_private)
    try:
        return _get(url, host, address)
    except httpx.HTTPError as error:
        raise FetchError(f"{url}: {type(error).__name__}") from None


def _judge(url: str, private_hosts: Collection[str]) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise FetchError("the URL cannot be read") from None
    host = parts.hostname or ""
    is_private = host in private_hosts
    if not host or "@" in parts.netloc or parts.scheme not in ("https", "http"):
        raise FetchError(f"{url}: not a plain https URL")
    if parts.scheme == "http" and not is_private:
        raise FetchError(f"{url}: not https")
    return host, port, is_private


def _resolve(host: str, port: int, is_private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchError(f"{host}: cannot be resolved") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not is_private and not all(ipaddress.ip_address(a).is_global for a in addresses):
        raise FetchError(f"{host}: is on a private address")
    return addresses[0]


def _get(url: str, host: str, address: str) -> bytes:
    at = httpx.URL(url).copy_with(host=address)
    headers = {"Host": httpx.URL(url).netloc.decode(), "Accept": "application/json"}
    client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
    deadline = time.monotonic() + TIMEOUT
    # The certificate is checked against the name, the connection goes to the address.
    with (
        client,
        client.stream("GET", at, headers=headers, extensions={"sni_hostname": host}) as answer,
    ):
        if answer.status_code != 200:
            raise FetchError(f"{url}: HTTP {answer.status_code}")
        body = b""
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise FetchError(f"{url}: longer than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise FetchError(f"{url}: too slow")
    return body
