"""One signed POST to an organisation's own system (Standard Webhooks 1.0).

The receiver can tell that it comes from here, when, and whether it has had it before.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..core.db import Database, Transaction
from ..core.guarded_http import FetchError, post
from ..core.values import canonical_json
from ..part import ConfigurationError
from .channel import WrongSetting
from .delivery import NotDelivered
from .models import Line

#: How the secret is written, and how many bytes it has.
PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64


class WebhookSection(Protocol):
    """What an administrator says of it."""

    @property
    def url(self) -> str | None: ...
    @property
    def secret(self) -> SecretStr | None: ...
    @property
    def private_hosts(self) -> tuple[str, ...]: ...


class StandardWebhook:
    """One URL, an administrator's.

    :raises WrongSetting: for a URL or a secret that is missing, or can't be one
    """

    def __init__(self, section: WebhookSection) -> None:
        self._url, self.host = _url(section)
        self._key = _key(section.secret)
        self._private_hosts = section.private_hosts

    def post(self, message_id: str, kind: str, at: int, data: Mapping[str, Any]) -> None:
        """Post it; whatever is not 2xx has not arrived.

        :param message_id: the same at each attempt
        :param at: NumericDate
        :raises NotDelivered: with the status, or why there is none
        """
        timestamp = datetime.fromtimestamp(at, UTC).isoformat()
        body = canonical_json({"type": kind, "timestamp": timestamp, "data": data})
        headers = {"Content-Type": "application/json", **self._signed(message_id, at, body)}
        try:
            status = post(self._url, body, headers, private_hosts=self._private_hosts)
        except FetchError as error:
            # A URL can be as good as a secret.
            raise NotDelivered(str(error).replace(self._url, "webhook")) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"HTTP {status}")

    def _signed(self, message_id: str, at: int, body: bytes) -> dict[str, str]:
        signed = f"{message_id}.{at}.".encode() + body
        mac = hmac.new(self._key, signed, hashlib.sha256).digest()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(at),
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }


@dataclass(frozen=True)
class ByWebhook:
    """The delivery of one kind of line to the organisation's own system.

    :param webhook: None where none is set, though one was when the line was stored
    :param find_told: reads what the line is to tell; None where there is nothing any more
    """

    db: Database
    webhook: StandardWebhook | None
    find_told: Callable[[Transaction, Line], Mapping[str, Any] | None]

    def __call__(self, line: Line) -> str:
        """Send what the line is to tell, as that is now.

        :raises NotDelivered: where it has not arrived
        """
        if self.webhook is None:
            return "switched off"
        with self.db.read() as tx:
            told = self.find_told(tx, line)
        if told is None:
            return "over"
        self.webhook.post(line.id, line.kind, line.claimed_at, told)
        return "sent"


def open_webhook(table: str, section: WebhookSection) -> StandardWebhook | None:
    """Return the webhook of the settings' `[deputize.<table>.webhook]`; None where none is set.

    :raises ConfigurationError: where it can't be one
    """
    wrong = webhook_mistake(section)
    if wrong:
        raise ConfigurationError(f"[deputize.{table}.webhook] {wrong[0]}: {wrong[1]}")
    return StandardWebhook(section) if section.url else None


def webhook_mistake(section: WebhookSection) -> tuple[str, str] | None:
    """Return what is wrong in its table: the key, and what is expected."""
    if section.url is None and section.secret is None:
        return None
    try:
        StandardWebhook(section)
    except WrongSetting as error:
        return error.key, error.text
    return None


def _url(section: WebhookSection) -> tuple[str, str]:
    try:
        parts = urlsplit(section.url or "")
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname or ""
    is_allowed = parts.scheme == "https" or (
        parts.scheme == "http" and host in section.private_hosts
    )
    if not section.url or not host or not is_allowed:
        raise WrongSetting("url", "expected an https URL; http is for private_hosts alone")
    return section.url, host


def _key(secret: SecretStr | None) -> bytes:
    try:
        text = secret.get_secret_value() if secret else ""
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        text = f"expected {PREFIX} and {SHORTEST} to {LONGEST} random bytes in base64"
        raise WrongSetting("secret", text)
    return key
