"""Who is told: a real mail server and a real HTTP receiver, both on loopback."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask, request

from support.serving import serving


@dataclass
class Mailbox:
    """All that a mail server took, and how it takes it.

    :param answers: what it says to each mail; None takes it
    :param refused: addresses that it does not know
    """

    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    sent_by: list[str] = field(default_factory=list)
    was_secret: list[bool] = field(default_factory=list)
    answers: str | None = None
    refused: set[str] = field(default_factory=set)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answers is not None:
            return self.answers
        mail: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.mails.append((list(envelope.rcpt_tos), mail))
        self.sent_by.append(envelope.mail_from or "")
        self.was_secret.append(session.ssl is not None)
        return "250 OK"

    def texts(self) -> list[str]:
        return [mail.get_content().replace("\r\n", "\n") for _, mail in self.mails]


class _AnyPort(Controller):
    """Listens on whichever port is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(**options: Any) -> Iterator[Mailbox]:
    """Run a mail server; `options` are aiosmtpd's."""
    mailbox = Mailbox()
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        mailbox.port = controller.port
        yield mailbox
    finally:
        controller.stop()


def logging_in(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> Any:
    """Know one name and one password."""
    is_right = (data.login, data.password) == (b"deputize", b"the mail password")
    return AuthResult(success=is_right, handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return the TLS of a server on 127.0.0.1, and the file of whom to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    trusted, own = folder / "ca.pem", folder / "own.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    own.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, own)
    return context, trusted


@dataclass
class Receiver:
    """All that was posted, and what is answered."""

    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    url: str = ""

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.posts]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run what takes posts."""
    taking = Receiver()

    def make(_url: str) -> Flask:
        app = Flask("receiver")

        @app.post("/told")
        def told() -> tuple[str, int]:
            headers = {name.lower(): value for name, value in request.headers}
            taking.posts.append((headers, request.get_data()))
            return "", taking.status

        return app

    with serving(make) as url:
        taking.url = f"{url}/told"
        yield taking
