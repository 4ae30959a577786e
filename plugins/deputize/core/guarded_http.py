"""Asking what a stranger's URL names, without becoming the stranger's hand (SSRF).

The name is resolved once, every address it has must be public, and the connection goes
to the address that was checked: a second resolution cannot answer otherwise. No
redirects, no proxies, little time for the whole of it, few bytes.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

TIMEOUT = 5.0
MAX_BYTES = 65_536

#: Names that are looked up at one time: what hangs stays that long.
_LOOKING_UP = threading.BoundedSemaphore(64)

#: RFC 4291 §2.5.4: no other addresses are a host's on the Internet.
_UNICAST = IPv6Network("2000::/3")

#: RFC 6052 §2.1: an IPv4 address in other words, where a network has IPv6 alone.
_NAT64 = IPv6Network("64:ff9b::/96")

_FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


class FetchError(Exception):
    """Nothing can be had from there; the message is for an operator, not for the client.

    It names the host alone: some URLs are secrets, and the audit trail keeps what it says.
    """


def fetch(url: str, *, private_hosts: Collection[str] = ()) -> bytes:
    """Return the body of `url`, an https URL of a public host.

    :param private_hosts: hosts that may be on private addresses, and by http as well
    :raises FetchError: for what is not allowed, too slow, too large, or no 200
    """
    with _asking("GET", url, {"Accept": "application/json"}, b"", private_hosts) as answer:
        if answer.status != 200:
            raise FetchError(f"{_host_of(url)}: HTTP {answer.status}")
        return _read(answer, url)


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, private_hosts: Collection[str] = ()
) -> int:
    """Send `body` to `url`, an https URL of a public host; return the status of the answer.

    Nothing else of the answer is read.

    :param private_hosts: hosts that may be on private addresses, and by http as well
    :raises FetchError: for what is not allowed, too slow, or no answer
    """
    with _asking("POST", url, headers, body, private_hosts) as answer:
        return answer.status


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status.

    :param headers: by their names in lower case
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float,
    private_hosts: Collection[str] = (),
) -> Response:
    """Send `body` to `url`, an https URL of a public host; return the answer.

    :param timeout: seconds for the whole of it, at most
    :param private_hosts: hosts that may be on private addresses, and by http as well
    :raises FetchError: for what is not allowed, too slow, too large, or no answer
    """
    with _asking("POST", url, headers, body, private_hosts, timeout) as answer:
        return Response(answer.status, _headers(answer), _read(answer, url))


def _headers(answer: httpcore.Response) -> dict[str, str]:
    """Return the headers by name; what is said in several lines is one list (RFC 9110 §5.3)."""
    told: dict[str, str] = {}
    for name, value in answer.headers:
        key, said = name.decode("latin-1").lower(), value.decode("latin-1")
        told[key] = f"{told[key]}, {said}" if key in told else said
    return told


def _read(answer: httpcore.Response, url: str) -> bytes:
    body = b""
    for chunk in answer.iter_stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise FetchError(f"{_host_of(url)}: longer than {MAX_BYTES} bytes")
    return body


@contextmanager
def _asking(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    private_hosts: Collection[str],
    timeout: float | None = None,
) -> Iterator[httpcore.Response]:
    deadline = time.monotonic() + (TIMEOUT if timeout is None else timeout)
    host, port, is_private = _judge(url, private_hosts)
    checked = _Checked(_resolve(host, port, is_private, deadline), deadline)
    pool = httpcore.ConnectionPool(ssl_context=_certificates(), network_backend=checked)
    sent = list(headers.items())
    try:
        with pool, pool.stream(method, url, headers=sent, content=body) as answer:
            yield answer
    except _FAILURES as error:
        raise FetchError(f"{host}: {type(error).__name__}") from None


def _judge(url: str, private_hosts: Collection[str]) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise FetchError("the URL cannot be read") from None
    host = parts.hostname or ""
    is_private = host in private_hosts
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not is_plain or not host or "@" in parts.netloc or parts.scheme not in ("https", "http"):
        raise FetchError("not a plain https URL")
    if parts.scheme == "http" and not is_private:
        raise FetchError(f"{host}: not https")
    return host, port, is_private


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _resolve(host: str, port: int, is_private: bool, deadline: float) -> str:
    try:
        addresses = _look_up(host, port, deadline)
    except TimeoutError:
        raise FetchError(f"{host}: was not resolved in time") from None
    except (OSError, UnicodeError):
        raise FetchError(f"{host}: cannot be resolved") from None
    if not is_private and not all(_is_public(ipaddress.ip_address(a)) for a in addresses):
        raise FetchError(f"{host}: is on a private address")
    return addresses[0]


def _look_up(host: str, port: int, deadline: float) -> list[str]:
    """Return the addresses of `host`, asked in a thread that nobody waits for past `deadline`:
    `getaddrinfo` takes none, and tries a silent server for half a minute.

    :raises OSError, UnicodeError: where it has none; TimeoutError among them
    """
    room, found = _LOOKING_UP, Future[list[str]]()
    if not room.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise TimeoutError

    def look_up() -> None:
        try:
            told = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([str(entry[4][0]) for entry in told])
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            found.set_exception(error)
        finally:
            room.release()

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return found.result(max(0.0, deadline - time.monotonic()))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether it is one host's on the Internet, and stands for no private one."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address in _NAT64:
        return _is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.is_global and address in _UNICAST and address.sixtofour is None


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True)
class _Checked(httpcore.NetworkBackend):
    """Connects to the address that was checked. The certificate is checked against the name."""

    address: str
    deadline: float

    def connect_tcp(self, host: str, port: int, *_: Any, **options: Any) -> httpcore.NetworkStream:
        timeout = _left(self.deadline)
        stream = httpcore.SyncBackend().connect_tcp(self.address, port, timeout=timeout)
        return _Within(stream, self.deadline)


@dataclass(frozen=True)
class _Within(httpcore.NetworkStream):
    """A stream whose every wait ends by one deadline: who sends a byte a second gains nothing."""

    stream: httpcore.NetworkStream
    deadline: float

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _left(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _left(self.deadline))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self.deadline)
        return _Within(self.stream.start_tls(ssl_context, server_hostname, left), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)

    def close(self) -> None:
        self.stream.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
