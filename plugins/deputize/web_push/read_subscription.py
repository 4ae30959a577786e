"""What a browser says of its subscription is a stranger's word: read, bounded, held to the
push services that an administrator allows.
"""

import base64
import json
import re
from typing import Any
from urllib.parse import urlsplit

from ..core.refusal import Refusal
from ..core.values import is_resource_identifier
from ..core.web_push import Receiver
from ..settings import WebPush
from .models import Subscription

#: Characters of all that is said, and of the endpoint; those in use have a few hundred.
LONGEST, LONGEST_ENDPOINT = 4096, 2048

_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,100}={0,2}")


def read_subscription(said: str, settings: WebPush) -> Subscription:
    """Return what `PushSubscription.toJSON()` wrote (Push API §8).

    :raises Refusal: `browser.malformed`; `browser.service`, for one that is not allowed
    """
    members = _object(said)
    endpoint = members.get("endpoint")
    if not isinstance(endpoint, str) or len(endpoint) > LONGEST_ENDPOINT:
        raise _malformed()
    if not is_allowed(endpoint, settings):
        raise Refusal("browser.service", "This browser's push service is not allowed here.")
    return Subscription(endpoint, _receiver(members.get("keys")))


def is_allowed(endpoint: str, settings: WebPush) -> bool:
    """Tell whether the endpoint is at a push service that may be asked, by https at its usual
    port; at one on a private address, by http and any port as well.
    """
    if not is_resource_identifier(endpoint):
        return False
    url = urlsplit(endpoint)
    host = url.hostname or ""
    if host in settings.private_hosts:
        return True
    is_usual = url.scheme == "https" and url.netloc == host
    return is_usual and any(_is_at(host, service) for service in settings.services)


def _is_at(host: str, service: str) -> bool:
    if service.startswith("*."):
        return host.endswith(service[1:]) and not host.startswith(".")
    return host == service


def _object(said: str) -> dict[str, Any]:
    try:
        members = json.loads(said) if len(said) <= LONGEST else None
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise _malformed()
    return members


def _receiver(keys: Any) -> Receiver:
    if not isinstance(keys, dict):
        raise _malformed()
    try:
        return Receiver(_bytes(keys.get("p256dh")), _bytes(keys.get("auth")))
    except ValueError:
        raise _malformed() from None


def _bytes(text: Any) -> bytes:
    """:raises ValueError: for what is not base64url"""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    unpadded = text.rstrip("=")
    return base64.urlsafe_b64decode(unpadded + "=" * (-len(unpadded) % 4))


def _malformed() -> Refusal:
    return Refusal("browser.malformed", "This browser did not say where it can be reached.")
