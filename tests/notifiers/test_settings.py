"""Which channels there are and are on: a mistake is told at start, with file and key."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from deputize.approvals.notifiers.find import open_channels
from deputize.check import Kind
from deputize.cli import deputize as commands
from deputize.part import ConfigurationError
from deputize.settings import Notify
from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.with_agents import dump
from notifiers.conftest import SECRET
from notifiers.receivers import Mailbox, Receiver
from support.asking import Asking
from support.world import World

EMAIL = """
[deputize.notify]
channels = ["email"]
[deputize.notify.email]
host = "mail.example.com"
sender = "id@example.com"
password_file = "mail.password"
"""

#: A channel of another package: what such a package has in it.
PAGER = """
from pydantic import BaseModel, ConfigDict

from deputize.outbox.channel import WrongSetting


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int


class Pager:
    section = Section
    label = "Pager"
    where = "the pager"
    is_personal = False
    has_one_server = True
    sent = []

    def __init__(self, section):
        if section.number < 100:
            raise WrongSetting("number", "expected three digits")

    def send(self, address, message):
        self.sent.append(message.title)
"""


def mistakes(folder: Path, text: str, **environ: str) -> list[str]:
    file = folder / "deputize.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(Chosen(folder / "data", file), environ)
    return str(refused.value).replace(f"{file}: ", "").split("\n")


def on(name: str, section: str = "") -> str:
    return f"[deputize.notify]\nchannels = ['{name}']\n[deputize.notify.{name}]\n{section}\n"


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with a channel: its metadata, and its one module."""
    installed = tmp_path / "installed"
    metadata = installed / "acme_pager-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pager\nVersion: 1.0\n")
    lines = ["[deputize.notifiers]", "pager = acme_pager:Pager", "broken = acme_none:Channel"]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    (installed / "acme_pager.py").write_text(PAGER)
    monkeypatch.syspath_prepend(installed)
    monkeypatch.delitem(sys.modules, "acme_pager", raising=False)


class TestMistakes:
    def test_none_is_on_by_default(self) -> None:
        assert open_channels(Notify()) == {}

    def test_a_channel_that_nobody_installed(self, tmp_path: Path) -> None:
        (told,) = mistakes(tmp_path, "[deputize.notify]\nchannels = ['pigeon']\n")
        assert told.startswith("[deputize.notify] channels: no channel 'pigeon' is installed;")
        assert told.endswith("known here are: chat, email, web_push, webhook")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (on("email"), "email] host: is missing: the channel is on"),
            (on("email", "hots = 'x'"), 'email] hots: unknown key; did you mean "host"?'),
            (
                on("email", "host = '192.0.2.1'\nsecurity = 'none'"),
                "email] security: none is for a server on loopback alone",
            ),
            (
                on("webhook", "url = 'http://hooks.example.com'"),
                "webhook] url: expected an https URL; http is for private_hosts alone",
            ),
        ],
    )
    def test_each_is_told_with_its_key(self, tmp_path: Path, text: str, told: str) -> None:
        assert mistakes(tmp_path, text) == [f"[deputize.notify.{told}"]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("[deputize.notify]\nchanels = []", 'chanels: unknown key; did you mean "channels"?'),
            ("[deputize.notify.emial]\nhost = 'x'", 'emial: unknown key; did you mean "email"?'),
        ],
    )
    def test_so_is_a_table_of_nobody(self, tmp_path: Path, text: str, told: str) -> None:
        assert mistakes(tmp_path, text) == [f"[deputize.notify] {told}"]

    def test_a_name_that_can_be_none(self, tmp_path: Path) -> None:
        (told,) = mistakes(tmp_path, "[deputize.notify]\nchannels = ['a:b']\n")
        assert told.startswith("[deputize.notify.channels] 0:")

    def test_the_file_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "deputize.toml"
        file.write_text(on("email"))
        with pytest.raises(ConfigurationError, match=f"^{file}: "):
            load_configuration(Chosen(tmp_path / "data", file), {})

    def test_without_a_file_it_is_told_all_the_same(self) -> None:
        with pytest.raises(ConfigurationError, match=r"\[deputize.notify.email\] host: is missing"):
            open_channels(Notify(channels=("email",)))


class TestSecrets:
    def test_reach_the_workers_and_no_text(self, tmp_path: Path) -> None:
        file = tmp_path / "deputize.toml"
        file.write_text(EMAIL)
        (tmp_path / "mail.password").write_text("the mail password\n")
        loaded = load_configuration(Chosen(tmp_path / "data", file), {}).plugin
        assert "the mail password" not in repr(loaded)
        told = json.loads(dump(loaded))
        assert told["notify"]["email"]["password"] == "the mail password"
        assert type(loaded).model_validate(told) == loaded


@pytest.mark.usefixtures("pager")
class TestAnotherPackage:
    def test_adds_a_channel_with_settings_of_its_own(self) -> None:
        given: Any = {"channels": ("pager",), "pager": {"number": 112}}
        (channel,) = open_channels(Notify(**given)).values()
        assert channel.label == "Pager"

    @pytest.mark.parametrize(
        ("section", "told"),
        [
            ("", "number: is missing"),
            ("number = 1", "number: expected three digits"),
            ("number = 112\nnumbr = 1", 'numbr: unknown key; did you mean "number"?'),
        ],
    )
    def test_its_mistakes_are_told_in_the_same_way(
        self, tmp_path: Path, section: str, told: str
    ) -> None:
        assert mistakes(tmp_path, on("pager", section)) == [f"[deputize.notify.pager] {told}"]

    def test_its_table_may_stand_while_it_is_off(self, tmp_path: Path) -> None:
        file = tmp_path / "deputize.toml"
        file.write_text("[deputize.notify.pager]\nnumber = 112\n")
        loaded = load_configuration(Chosen(tmp_path / "data", file), {}).plugin
        assert open_channels(loaded.notify) == {}
        assert type(loaded).model_validate_json(dump(loaded)) == loaded

    def test_one_that_cannot_be_loaded_is_named(self, tmp_path: Path) -> None:
        told = mistakes(tmp_path, "[deputize.notify]\nchannels = ['broken']\n")
        assert told == [
            "[deputize.notify] channels: acme_none:Channel cannot be loaded: ModuleNotFoundError"
        ]


class KnowsNoAddress:
    """A host without the member that may be left out."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def __getattr__(self, name: str) -> Any:
        if name == "find_address":
            raise AttributeError(name)
        return getattr(self._host, name)


class TestCommands:
    def test_check_tells_of_each_channel_and_of_no_secret(self, world: World) -> None:
        told = world.app.test_cli_runner().invoke(commands, ["check"])
        assert f"email: 127.0.0.1:{world.context.settings.notify.email.port}, none" in told.output
        assert "webhook: 127.0.0.1, signed" in told.output
        assert SECRET not in told.output

    def test_check_tells_what_the_host_lacks(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(world.app.extensions["deputize"], "host", KnowsNoAddress(world.host))
        told = world.app.test_cli_runner().invoke(commands, ["check"])
        assert told.exit_code == 1
        assert f"{Kind.MISSING}  email: nobody is reached by it" in told.output

    def test_a_test_is_sent_at_once_by_each(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        run = asking.world.app.test_cli_runner().invoke
        told = run(commands, ["notifiers", "test", asking.person])
        assert (told.exit_code, len(mail.mails), len(hook.posts)) == (0, 1, 1)
        assert "● email: p…@example.com: sent" in told.output
        hook.status = 500
        told = run(commands, ["notifiers", "test", asking.person])
        assert told.exit_code == 1
        assert "✕ webhook: 127.0.0.1, signed: HTTP 500" in told.output

    def test_it_tells_who_is_nobody_and_who_has_no_address(self, world: World) -> None:
        run = world.app.test_cli_runner().invoke
        assert "nobody signs in by that name" in run(commands, ["notifiers", "test", "nil"]).output
        world.host.addresses.pop(("eve", "email"), None)
        told = run(commands, ["notifiers", "test", "eve"])
        assert told.exit_code == 1
        assert "✕ email: the host knows no address" in told.output
