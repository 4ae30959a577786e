"""Random identifiers, and secrets that are kept as hashes only.

Secrets made here have 256 random bits, and those that people bring at least 24
characters, so a plain SHA-256 can be searched by nobody; slow hashes are for
passwords, which the host keeps.
"""

import hashlib
import hmac
import secrets

MINIMUM_SECRET_LENGTH = 24


def new_id() -> str:
    """Return 96 random bits as 16 URL-safe characters."""
    return secrets.token_urlsafe(12)


def new_secret(prefix: str = "") -> str:
    """Return `prefix` and 256 random bits as 43 URL-safe characters."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of `secret` in hexadecimal: what is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, stored_digest: str) -> bool:
    """Tell in constant time whether `secret` has the digest `stored_digest`."""
    return hmac.compare_digest(digest(secret), stored_digest)
