"""Each channel at the wire: what it sends, what it refuses to, and that it tells no secret."""

import base64
import hashlib
import hmac
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deputize.approvals.notifiers import email as by_email
from deputize.approvals.notifiers.chat import Chat
from deputize.approvals.notifiers.email import Email
from deputize.approvals.notifiers.webhook import Webhook
from deputize.outbox.channel import Message, WrongSetting
from deputize.outbox.delivery import NotDelivered
from deputize.settings import Chat as ChatSection
from deputize.settings import Email as EmailSection
from deputize.settings import Webhook as WebhookSection
from notifiers.conftest import SECRET
from notifiers.receivers import Mailbox, Receiver, certificate, logging_in, mail_server, receiver

TO = "ana@example.com"
MESSAGE = Message(
    id="0123456789abcdef",
    kind="approval.requested",
    at=1_764_000_000,
    title="planner asks for your word",
    text="planner asks for your word.\nIt is brief: \N{EURO SIGN}.",
    url="https://id.example.com/deputize/approvals",
    person="p-1",
    facts={"agent": "planner"},
)


def sending(port: int, **members: Any) -> Email:
    usual = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "id@example.com"}
    return Email(EmailSection(**usual | members))


@pytest.fixture(scope="module")
def plain() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def mail(plain: Mailbox) -> Mailbox:
    plain.mails.clear()
    plain.answers = None
    return plain


class TestEmail:
    def test_a_mail_is_plain_text_to_one_address(self, mail: Mailbox) -> None:
        sending(mail.port).send(TO, MESSAGE)
        ((to, sent),) = mail.mails
        assert to == [TO]
        assert (sent["To"], sent["From"]) == (TO, "Deputize <id@example.com>")
        assert sent["Subject"] == MESSAGE.title
        assert sent["Message-ID"] == "<0123456789abcdef@example.com>"
        assert sent["Auto-Submitted"] == "auto-generated"
        assert sent["Date"].datetime.timestamp() == MESSAGE.at
        assert sent.get_content_type() == "text/plain"
        assert mail.texts() == [f"{MESSAGE.text}\n\n{MESSAGE.url}\n"]

    @pytest.mark.parametrize(
        "address",
        [
            "ana@example.com, eve@example.com",
            "ana@example.com\r\nBcc: eve@example.com",
            "Ana <ana@example.com>",
            "ana@example.com\x00",
            "\udcff@example.com",
            "@",
            " ",
            "ana",
        ],
    )
    def test_nothing_is_sent_to_what_is_not_one_address(self, mail: Mailbox, address: str) -> None:
        with pytest.raises(NotDelivered):
            sending(mail.port).send(address, MESSAGE)
        assert mail.mails == []

    def test_a_refused_address_is_named_to_nobody(self, mail: Mailbox) -> None:
        mail.refused.add("eve@example.com")
        with pytest.raises(NotDelivered, match="550") as told:
            sending(mail.port).send("eve@example.com", MESSAGE)
        assert "eve" not in str(told.value)

    def test_with_starttls_and_a_password(self, tls: tuple[ssl.SSLContext, Path]) -> None:
        """The server takes neither mail nor password before."""
        own, trusted = tls
        options: dict[str, Any] = {
            "require_starttls": True,
            "auth_required": True,
            "authenticator": logging_in,
        }
        known = {"username": "deputize", "password": SecretStr("the mail password")}
        with mail_server(tls_context=own, **options) as mailbox:
            section = {"security": "starttls", "ca_file": str(trusted)}
            sending(mailbox.port, **section, **known).send(TO, MESSAGE)
            assert mailbox.was_secret == [True]
            wrong = known | {"password": SecretStr("another")}
            with pytest.raises(NotDelivered, match="535"):
                sending(mailbox.port, **section, **wrong).send(TO, MESSAGE)
            # Its certificate is nobody's whom the system trusts.
            with pytest.raises(NotDelivered, match="SSL"):
                sending(mailbox.port, security="starttls", **known).send(TO, MESSAGE)
            assert len(mailbox.mails) == 1

    def test_with_tls_from_the_first_byte(
        self, tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(by_email, "TIMEOUT", 0.3)
        own, trusted = tls
        with mail_server(ssl_context=own) as mailbox:
            sending(mailbox.port, security="tls", ca_file=str(trusted)).send(TO, MESSAGE)
            assert len(mailbox.mails) == 1
            with pytest.raises(NotDelivered):
                sending(mailbox.port).send(TO, MESSAGE)

    def test_nothing_goes_in_the_clear_where_the_server_has_no_starttls(
        self, mail: Mailbox
    ) -> None:
        with pytest.raises(NotDelivered):
            sending(mail.port, security="starttls").send(TO, MESSAGE)
        assert mail.mails == []

    def test_nobody_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
            sending(port).send(TO, MESSAGE)

    @pytest.mark.parametrize("drops", [b"", b"250-x\r\n"], ids=["silent", "line by line"])
    def test_a_server_that_never_comes_to_an_end_is_left(
        self, drops: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(by_email, "TIMEOUT", 0.3)
        monkeypatch.setattr(by_email, "DEADLINE", 0.5)
        began = time.monotonic()
        with Endless(drops) as port, pytest.raises(NotDelivered):
            sending(port).send(TO, MESSAGE)
        assert time.monotonic() - began < 4

    @pytest.mark.parametrize(
        ("members", "key"),
        [
            ({"host": None}, "host"),
            ({"host": "mail.example.com"}, "security"),
            ({"sender": None}, "sender"),
            ({"sender": "a@example.com\nBcc: b@example.com"}, "sender"),
            ({"ca_file": "/nowhere"}, "ca_file"),
        ],
    )
    def test_it_cannot_be_made_of_what_is_wrong(self, members: dict[str, Any], key: str) -> None:
        with pytest.raises(WrongSetting) as wrong:
            sending(25, **members)
        assert wrong.value.key == key


class Endless:
    """Greets, and then sends `drops` for ever, whatever it is told."""

    def __init__(self, drops: bytes) -> None:
        self._drops = drops
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._answer, daemon=True).start()
        return int(self._server.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()

    def _answer(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            connection.sendall(b"220 mail.test\r\n")
            try:
                while not self._over.wait(0.02):
                    connection.sendall(self._drops)
            except OSError:
                return


def hooked(to: str, **members: Any) -> Webhook:
    usual = {"url": to, "secret": SecretStr(SECRET), "private_hosts": ("127.0.0.1",)}
    return Webhook(WebhookSection(**usual | members))


class TestWebhook:
    """Standard Webhooks 1.0."""

    def test_is_signed_over_id_time_and_body(self, hook: Receiver) -> None:
        hook.posts.clear()
        hooked(hook.url).send("", MESSAGE)
        ((headers, body),) = hook.posts
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        assert headers["webhook-id"] == MESSAGE.id
        assert headers["webhook-timestamp"] == str(MESSAGE.at)
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"].split() == [f"v1,{mac}"]

    def test_says_what_for_whom_and_where(self, hook: Receiver) -> None:
        hook.posts.clear()
        hooked(hook.url).send("", MESSAGE)
        (told,) = hook.bodies()
        assert told == {
            "type": "approval.requested",
            "timestamp": "2025-11-24T16:00:00+00:00",
            "data": {
                "title": MESSAGE.title,
                "text": MESSAGE.text,
                "url": MESSAGE.url,
                "person": "p-1",
                "agent": "planner",
            },
        }

    @pytest.mark.parametrize("status", [301, 400, 410, 500])
    def test_what_is_not_2xx_has_not_arrived(self, hook: Receiver, status: int) -> None:
        hook.status = status
        with pytest.raises(NotDelivered, match=f"HTTP {status}"):
            hooked(hook.url).send("", MESSAGE)
        hook.status = 204

    def test_a_failure_does_not_tell_the_url(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(NotDelivered) as told:
            hooked(f"http://127.0.0.1:{port}/the-secret-path").send("", MESSAGE)
        assert "the-secret-path" not in str(told.value)

    def test_goes_to_no_private_address_but_those_that_are_named(self) -> None:
        channel = hooked("https://127.0.0.1/", private_hosts=())
        with pytest.raises(NotDelivered, match="private address"):
            channel.send("", MESSAGE)

    @pytest.mark.parametrize(
        ("members", "key"),
        [
            ({"url": None}, "url"),
            ({"url": "http://hooks.example.com/"}, "url"),
            ({"url": "https://[::1"}, "url"),
            ({"url": "ftp://127.0.0.1/"}, "url"),
            ({"secret": None}, "secret"),
            ({"secret": SecretStr("whsec_" + base64.b64encode(b"short").decode())}, "secret"),
            ({"secret": SecretStr("whsec_not base64!")}, "secret"),
            ({"secret": SecretStr("\udcff")}, "secret"),
        ],
    )
    def test_it_cannot_be_made_of_what_is_wrong(self, members: dict[str, Any], key: str) -> None:
        with pytest.raises(WrongSetting) as wrong:
            hooked("https://hooks.example.com/", **members)
        assert wrong.value.key == key


class TestChat:
    """By Apprise, whose `json://` posts to a receiver of ours."""

    def test_the_organisations_room_is_told(self, hook: Receiver) -> None:
        hook.posts.clear()
        url = hook.url.replace("http://", "json://")
        channel = Chat(ChatSection(url=SecretStr(url)))
        assert not channel.is_personal
        channel.send("", MESSAGE)
        (told,) = hook.bodies()
        assert (told["title"], told["message"]) == (
            MESSAGE.title,
            f"{MESSAGE.text}\n\n{MESSAGE.url}",
        )

    def test_a_person_is_told_by_a_scheme_that_is_allowed(self, hook: Receiver) -> None:
        hook.posts.clear()
        address = hook.url.replace("http://", "json://")
        Chat(ChatSection(schemes=("json",))).send(address, MESSAGE)
        assert len(hook.posts) == 1
        with pytest.raises(NotDelivered, match="not allowed"):
            Chat(ChatSection(schemes=("slack",))).send(address, MESSAGE)
        assert len(hook.posts) == 1

    def test_what_the_service_does_not_take_has_not_arrived(self, hook: Receiver) -> None:
        hook.status = 500
        url = hook.url.replace("http://", "json://")
        with pytest.raises(NotDelivered) as told:
            Chat(ChatSection(url=SecretStr(url))).send("", MESSAGE)
        assert "127.0.0.1" not in str(told.value)
        hook.status = 204

    @pytest.mark.parametrize("members", [{}, {"url": SecretStr("no such thing")}])
    def test_it_cannot_be_made_of_what_is_wrong(self, members: dict[str, Any]) -> None:
        with pytest.raises(WrongSetting) as wrong:
            Chat(ChatSection(**members))
        assert wrong.value.key == "url"

    def test_without_the_library_it_says_how_to_get_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deputize.approvals.notifiers.chat.find_spec", lambda _: None)
        with pytest.raises(WrongSetting, match=r"deputize\[chat\]"):
            Chat(ChatSection(schemes=("slack",)))
