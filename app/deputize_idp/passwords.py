"""Passwords: argon2id, and the same work whether the user name exists or not."""

from functools import cache

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MAX_LENGTH = 1024
HASHER = PasswordHasher(type=Type.ID)


def is_hash(password: str) -> bool:
    """Whether this is an argon2 hash rather than a password."""
    try:
        return bool(extract_parameters(password))
    except InvalidHashError:
        return False


def hash_password(password: str) -> str:
    """The argon2id hash of a password."""
    return HASHER.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` is the one that was hashed.

    Without a stored hash a dummy is verified: the time of the answer does not tell who exists.
    """
    try:
        matches = HASHER.verify(stored or _dummy_hash(), password[:MAX_LENGTH])
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored is not None and len(password) <= MAX_LENGTH


def needs_rehash(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(stored)


@cache
def _dummy_hash() -> str:
    return HASHER.hash("nobody has this password")
