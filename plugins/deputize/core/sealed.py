"""What has to be read again is encrypted at rest, where there is a secret to encrypt it with.

It is always a JSON object: so what was stored as it is, before there was a secret, is known
by its first letter.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from .values import canonical_json


class NotOpened(Exception):  # noqa: N818 - what is wrong is the secret
    """The secret is missing, or is another. The message says which."""


class Box:
    """Seals JSON objects for one purpose: each purpose has a key of its own.

    :param secret: without it they are stored as they are
    """

    def __init__(self, secret: str | None, purpose: str) -> None:
        self._purpose = purpose
        self._fernet = Fernet(_derive(secret, purpose)) if secret else None

    def seal(self, value: Mapping[str, Any]) -> str:
        """Return `value` as it is stored."""
        plain = canonical_json(value)
        return (self._fernet.encrypt(plain) if self._fernet else plain).decode()

    def open(self, stored: str) -> Any:
        """Return what was sealed.

        :raises NotOpened: where the secret is missing, or is not the one that sealed it
        """
        if stored.startswith("{"):
            return json.loads(stored)
        if not self._fernet:
            raise NotOpened(f"the stored {self._purpose} need it")
        try:
            return json.loads(self._fernet.decrypt(stored.encode()))
        except InvalidToken:
            raise NotOpened(f"it does not open the stored {self._purpose}") from None


def _derive(secret: str, purpose: str) -> bytes:
    label = f"deputize {purpose}\n{secret}".encode()
    return base64.urlsafe_b64encode(hashlib.sha256(label).digest())
