"""A push service and a browser's end of it: it answers as it is told, checks who sends, and reads.

Decrypting is written from RFC 8188 and RFC 8291 anew, and shares nothing with what encrypts.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.jwk import ECKey

from deputize.approvals.notifiers.web_push import WebPush
from deputize.delegation.context import Context
from deputize.web_push.application_server import ApplicationServer
from support.serving import serving


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def application_server(context: Context) -> ApplicationServer:
    """Return what a server that tells people in browsers is to push services."""
    channel = context.channels["web_push"]
    assert isinstance(channel, WebPush)
    return channel.server


@dataclass
class PushBrowser:
    """One browser with a subscription: its private key, and its secret."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"0123456789abcdef"

    @property
    def p256dh(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, **changes: Any) -> str:
        """Return it as `PushSubscription.toJSON()` does."""
        keys = {"p256dh": b64(self.p256dh), "auth": b64(self.auth)}
        told = {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}
        return json.dumps(told | changes)

    def read(self, body: bytes) -> bytes:
        """Decrypt one message (RFC 8188 §2, RFC 8291 §3.4).

        :raises cryptography.exceptions.InvalidTag: where it is for somebody else
        """
        salt, size, id_length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + id_length], body[21 + id_length :]
        assert len(record) <= size
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        agreed = self.key.exchange(ec.ECDH(), peer)
        first = _hmac(self.auth, agreed)
        keying = _hmac(first, b"WebPush: info\0" + self.p256dh + sender + b"\1")
        second = _hmac(salt, keying)
        key = _hmac(second, b"Content-Encoding: aes128gcm\0\1")[:16]
        nonce = _hmac(second, b"Content-Encoding: nonce\0\1")[:12]
        padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert padded[-1:] == b"\2"
        return padded[:-1]


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


@dataclass
class Arrived:
    """One message as the push service got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    def token(self, audience: str) -> tuple[dict[str, Any], dict[str, Any], str]:
        """Verify who sent it (RFC 8292 §4); return header and claims of the token, and the key."""
        scheme, _, rest = self.headers["Authorization"].partition(" ")
        parameters = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert scheme == "vapid"
        point = from_b64(parameters["k"])
        numbers = {"x": b64(point[1:33]), "y": b64(point[33:])}
        key = ECKey.import_key({"kty": "EC", "crv": "P-256", **numbers})
        token = jwt.decode(parameters["t"], key, algorithms=["ES256"])
        assert token.claims["aud"] == audience
        return dict(token.header), dict(token.claims), parameters["k"]


@dataclass
class PushService:
    """Takes messages for any path, and answers each as `statuses` says, else with 201."""

    url: str
    arrived: list[Arrived] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def browser(self, name: str) -> PushBrowser:
        """Return a browser that is subscribed here."""
        return PushBrowser(f"{self.url}/push/{name}")

    def answer(self, browser: PushBrowser, status: int) -> None:
        self.statuses[browser.endpoint.removeprefix(self.url)] = status

    def to(self, browser: PushBrowser) -> list[Arrived]:
        """Return what came for that browser."""
        path = browser.endpoint.removeprefix(self.url)
        return [one for one in self.arrived if one.path == path]

    def app(self) -> Flask:
        app = Flask(__name__)

        @app.post("/push/<path:_name>")
        def take(_name: str) -> Response:
            body = request.get_data()
            self.arrived.append(Arrived(request.path, dict(request.headers), body))
            return Response(status=self.statuses.get(request.path, 201))

        return app


@contextmanager
def running_push_service() -> Iterator[PushService]:
    """Run one on loopback."""
    services: list[PushService] = []

    def make(url: str) -> Flask:
        services.append(PushService(url))
        return services[0].app()

    with serving(make):
        yield services[0]
