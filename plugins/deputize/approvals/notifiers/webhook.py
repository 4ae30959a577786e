"""Telling the organisation's own system, by one signed POST (Standard Webhooks 1.0).

The receiver can tell that it comes from here, when, and whether it has had it before; what it
tells of is decided on the page all the same.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import SecretStr

from ...core.guarded_http import FetchError, post
from ...core.values import canonical_json
from ...outbox.channel import Message, WrongSetting
from ...outbox.delivery import NotDelivered
from ...settings import Webhook as WebhookSection

#: How the secret is written, and how many bytes it has.
PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64


class Webhook:
    """One URL, an administrator's.

    :raises WrongSetting: for a URL or a secret that is missing, or can't be one
    """

    section = WebhookSection
    is_personal = False
    has_one_server = True

    def __init__(self, section: WebhookSection) -> None:
        self._url, host = _url(section)
        self._key = _key(section.secret)
        self._private_hosts = section.private_hosts
        self.label = section.label
        self.where = f"{host}, signed"

    def send(self, address: str, message: Message) -> None:
        """Post it; whatever is not 2xx has not arrived.

        :raises NotDelivered: with the status, or why there is none
        """
        body = canonical_json(_payload(message))
        headers = {"Content-Type": "application/json", **self._signed(message, body)}
        try:
            status = post(self._url, body, headers, private_hosts=self._private_hosts)
        except FetchError as error:
            # A URL can be as good as a secret.
            raise NotDelivered(str(error).replace(self._url, "webhook")) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"HTTP {status}")

    def _signed(self, message: Message, body: bytes) -> dict[str, str]:
        signed = f"{message.id}.{message.at}.".encode() + body
        mac = hmac.new(self._key, signed, hashlib.sha256).digest()
        return {
            "webhook-id": message.id,
            "webhook-timestamp": str(message.at),
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }


def _payload(message: Message) -> dict[str, object]:
    return {
        "type": message.kind,
        "timestamp": datetime.fromtimestamp(message.at, UTC).isoformat(),
        "data": {
            "title": message.title,
            "text": message.text,
            "url": message.url,
            "person": message.person,
            **message.facts,
        },
    }


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
