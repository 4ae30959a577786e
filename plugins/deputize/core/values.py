"""Small values that every room reads the same way: sets of words, canonical JSON, identifiers."""

import json
import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")

Words = frozenset[str]


def words(line: str | None) -> Words:
    """Return the members of a space-separated set, such as `scope` (RFC 6749 §3.3)."""
    return frozenset(line.split()) if line else frozenset()


def line(members: Iterable[str]) -> str:
    """Return the one spelling of a set: sorted, space-separated."""
    return " ".join(sorted(members))


def is_scope_token(text: str) -> bool:
    """Tell whether `text` is one scope-token (RFC 6749 §3.3)."""
    return _SCOPE_TOKEN.fullmatch(text) is not None


def is_client_id(text: str) -> bool:
    """Tell whether `text` can name an agent: 1 to 64 unreserved characters, no space or slash."""
    return _CLIENT_ID.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an id that we made."""
    return _ID.fullmatch(text) is not None


def is_storable(text: str) -> bool:
    """Tell whether `text` can be encoded and stored: no lone surrogate, no NUL."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def is_thumbprint(text: str) -> bool:
    """Tell whether `text` has the form of a SHA-256 JWK thumbprint (RFC 7638 §3)."""
    return _THUMBPRINT.fullmatch(text) is not None


def is_resource_identifier(text: str) -> bool:
    """Tell whether `text` is an absolute, canonical URI that can be an audience.

    "It MUST NOT include a fragment component" (RFC 8707 §2); user information,
    upper case in scheme or host, white space and non-ASCII are refused as well, so
    that two spellings never name one audience.
    """
    if not text.isascii() or not text.isprintable() or " " in text or "#" in text:
        return False
    try:
        url = urlsplit(text)
        authority = url.netloc
        _ = url.port
    except ValueError:
        return False
    known = url.scheme in ("https", "http") and bool(url.hostname)
    return known and "@" not in authority and authority == authority.lower() and text[:4].islower()


def is_loopback(host: str) -> bool:
    """Tell whether `host` never leaves this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def canonical_json(value: Any) -> bytes:
    """Return the one serialisation of `value`: sorted members, no white space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
