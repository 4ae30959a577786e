"""Telling somebody by e-mail (RFC 5321, RFC 5322), in plain text.

Headers are written by `email.message`, which refuses a line break in any of them; and the
address is read as exactly one, so that it can name nobody else beside.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from ...core.values import is_loopback
from ...outbox.channel import Message, WrongSetting
from ...outbox.delivery import NotDelivered
from ...settings import Email as EmailSection

#: Seconds that each step may take, and that all steps after the greeting may.
TIMEOUT, DEADLINE = 5, 15


class Email:
    """One mail server, for all.

    :raises WrongSetting: for what is missing, or would send in the clear
    """

    section = EmailSection
    label = "E-mail"
    is_personal = True
    has_one_server = True

    def __init__(self, section: EmailSection) -> None:
        if not section.host:
            raise WrongSetting("host", "is missing: the channel is on")
        if section.security == "none" and not is_loopback(section.host):
            raise WrongSetting("security", "none is for a server on loopback alone")
        self._host = section.host
        self._sender = _sender(section.sender)
        self._settings = section
        self._tls = _tls(section.ca_file)
        self.where = f"{section.host}:{section.port}, {section.security}"

    def send(self, address: str, message: Message) -> None:
        """Send one mail.

        :raises NotDelivered: with the server's code, or the kind of failure
        """
        try:
            mail = self._written(address, message)
            with _within(DEADLINE, self._connected()) as server:
                self._log_in(server)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted({code for code, _ in error.recipients.values()})
            raise NotDelivered(f"SMTP {codes}: the address is refused") from None
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"SMTP {error.smtp_code}") from None
        except (OSError, ValueError) as error:
            raise NotDelivered(f"SMTP: {type(error).__name__}") from None

    def _written(self, address: str, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = _address(address)
        mail["Subject"] = message.title
        mail["Date"] = format_datetime(datetime.fromtimestamp(message.at, UTC))
        # The same at each attempt: who gets it twice can tell.
        mail["Message-ID"] = f"<{message.id}@{self._sender.domain}>"
        # RFC 3834 §5: nobody's machine answers it.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{message.text}\n\n{message.url}\n")
        return mail

    def _connected(self) -> smtplib.SMTP:
        port, name = self._settings.port, self._sender.domain
        if self._settings.security == "tls":
            return smtplib.SMTP_SSL(self._host, port, name, timeout=TIMEOUT, context=self._tls)
        return smtplib.SMTP(self._host, port, name, timeout=TIMEOUT)

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self._settings.security == "starttls":
            # Raises where the server does not offer it: nothing is sent in the clear instead.
            server.starttls(context=self._tls)
        if self._settings.username is not None:
            password = self._settings.password
            server.login(self._settings.username, password.get_secret_value() if password else "")


@contextmanager
def _within(seconds: int, server: smtplib.SMTP) -> Iterator[smtplib.SMTP]:
    """Break the connection off after `seconds`: who answers drop by drop gains nothing."""
    timer = threading.Timer(seconds, _break_off, (server,))
    timer.daemon = True
    timer.start()
    try:
        yield server
        # It was taken: what the server says to a farewell changes nothing.
        with suppress(OSError):
            server.quit()
    finally:
        timer.cancel()
        server.close()


def _break_off(server: smtplib.SMTP) -> None:
    with suppress(OSError, AttributeError):
        server.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


def _address(text: str) -> Address:
    """:raises NotDelivered: where it is not exactly one address"""
    try:
        return Address(addr_spec=text)
    except (ValueError, MessageError, IndexError):
        raise NotDelivered("the address cannot be read") from None


def _sender(text: str | None) -> Address:
    try:
        return Address("Deputize", addr_spec=_address(text or "").addr_spec)
    except NotDelivered:
        raise WrongSetting("sender", "expected an address such as id@example.com") from None


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise WrongSetting("ca_file", f"{type(error).__name__}: expected a PEM file") from None
