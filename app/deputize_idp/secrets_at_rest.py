"""Secrets as they lie in the database and on disk: hashes of what is random, and one key
of the server's own from which the others are derived.
"""

import secrets
from hashlib import sha256
from pathlib import Path

from .database import private_file

KEY_FILE = "secret_key"


def random_token() -> str:
    """A value of 256 random bits, safe in a URL, a form and a header."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """The SHA-256 of a secret that is too random to be guessed from its hash."""
    return sha256(secret.encode()).hexdigest()


def stored_secret_key(data: Path) -> str:
    """The key in `data`, made on first use. Called under the start lock."""
    path = private_file(data, KEY_FILE)
    if not path.read_text():
        path.write_text(random_token())
    return path.read_text()
