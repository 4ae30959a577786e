"""The command line itself: exit codes, one line for each error, and where everything lies."""

import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from cli.running import (
    COMMAND,
    DEMO,
    Inside,
    Operator,
    Served,
    clean_environment,
    free_port,
)


class TestErrors:
    @pytest.mark.parametrize(
        "command",
        [
            ("aply",),
            ("apply",),
            ("apply", "a.toml", "--prun"),
            ("serve", "--port", "x"),
            ("serve", "--workers", "0"),
            ("agents", "show"),
            ("delegations", "list", "--limit", "0"),
        ],
    )
    def test_a_command_line_that_can_not_be_is_2(
        self, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        operator = Inside(tmp_path / "data")
        ended = operator.run(*command)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr
        assert not operator.data.exists()

    def test_a_file_that_is_not_there(self, operator: Operator) -> None:
        assert operator.failed("apply", "absent.toml") == "absent.toml: No such file or directory"

    def test_a_database_that_does_not_answer(self, operator: Operator) -> None:
        operator.database = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
        assert operator.failed("apply", str(DEMO)).startswith("database: ")

    def test_a_folder_that_can_not_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        line = Operator(tmp_path / "file" / "data").failed("apply", str(DEMO))
        assert line.startswith(f"{tmp_path}/file")

    def test_another_secret_than_the_keys_were_made_with(self, operator: Operator) -> None:
        operator.inside.done("apply", str(DEMO))
        operator.environ = {"DEPUTIZE__KEY_SECRET": "another"}
        assert operator.failed("keys", "list").startswith("deputize.key_secret: ")
        operator.environ = {"DEPUTIZE_IDP__SECRET_KEY": "x" * 40}
        assert operator.failed("keys", "list").startswith("secret_key: ")

    def test_a_setting_that_can_not_be(self, operator: Operator) -> None:
        operator.environ = {"DEPUTIZE__TOKENS__LIFETME": "3"}
        line = operator.failed("serve")
        assert line.startswith("environment DEPUTIZE__TOKENS__LIFETME: ")


class TestServing:
    def test_a_taken_port_is_one_line(self, operator: Operator) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            line = operator.failed("serve", "--port", port)
        assert line.startswith(f"127.0.0.1:{port}: Address already in use")

    def test_an_address_off_loopback_needs_an_issuer(self, operator: Operator) -> None:
        assert operator.failed("serve", "--host", "0.0.0.0") == (
            "--host and --port: [deputize] issuer: expected https; http is for loopback alone"
        )

    def test_the_issuer_of_the_settings_wins(self, operator: Operator, tmp_path: Path) -> None:
        file = tmp_path / "deputize.toml"
        file.write_text("[deputize]\nissuer = 'https://id.example'\n")
        with operator.serving("--config", str(file)) as url:
            for name in ("oauth-authorization-server", "openid-configuration"):
                document = httpx.get(f"{url}/.well-known/{name}").json()
                assert document["issuer"] == "https://id.example"
                assert document["token_endpoint"] == "https://id.example/oauth/token"

    def test_one_clock_for_both_in_test_mode(self, operator: Operator, tmp_path: Path) -> None:
        clock = tmp_path / "clock"
        clock.write_text("0")
        operator.environ = {"DEPUTIZE__TEST_MODE": "true", "DEPUTIZE__CLOCK_FILE": str(clock)}
        operator.inside.done("apply", str(DEMO))
        with operator.serving() as url:
            ask = {"data": {"grant_type": "client_credentials"}}
            auth = ("booker", "booker-secret-0123456789")
            assert httpx.post(f"{url}/oauth/token", auth=auth, **ask).status_code == 200
            clock.write_text(str(91 * 86400))
            assert httpx.post(f"{url}/oauth/token", auth=auth, **ask).status_code == 401

    def test_what_was_declared_survives_a_restart(self, operator: Operator) -> None:
        operator.inside.done("apply", str(DEMO))
        operator.inside.done("agents", "suspend", "booker")
        for _ in range(2):
            with operator.serving() as url:
                answer = httpx.post(
                    f"{url}/oauth/token",
                    auth=("booker", "booker-secret-0123456789"),
                    data={"grant_type": "client_credentials"},
                )
                assert answer.status_code == 401


class TestSweeping:
    @pytest.fixture
    def overdue(self, tmp_path: Path) -> Operator:
        """An operator of a server in which a task became overdue while it was stopped."""
        clock = tmp_path / "clock"
        clock.write_text("0")
        environ = {"DEPUTIZE__TEST_MODE": "true", "DEPUTIZE__CLOCK_FILE": str(clock)}
        operator = Inside(tmp_path / "data", environ=environ)
        operator.done("apply", str(DEMO))
        with operator.serving() as url:
            Served(url, operator).hold()
        clock.write_text(str(40 * 86400))
        return operator

    def test_from_a_timer(self, overdue: Operator) -> None:
        assert overdue.done("sweep").startswith("1 overdue task ended, ")
        assert overdue.done("sweep") == "0 overdue tasks ended, 0 forgotten\n"

    def test_a_server_does_it_by_itself(self, overdue: Operator) -> None:
        with overdue.serving():
            deadline = time.monotonic() + 20
            while not overdue.done("audit", "list", "--kind", "delegation.ended", "--json"):
                assert time.monotonic() < deadline


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_nobody_else_reads_the_files(operator: Operator) -> None:
    operator.done("apply", str(DEMO))
    assert stat.S_IMODE(operator.data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in operator.data.iterdir()} == {0o600}


def test_no_secret_lies_in_the_databases(operator: Operator) -> None:
    operator.done("apply", str(DEMO))
    stored = b"".join(file.read_bytes() for file in operator.data.glob("*.sqlite3*"))
    assert b"planner" in stored
    for secret in (b"secret-0123456789", b"correct horse", b'"d":'):
        assert secret not in stored
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in stored, "what RFC 9106 says for little memory"


def test_one_database_for_both(operator: Operator, tmp_path: Path) -> None:
    operator.database = f"sqlite:///{tmp_path}/both.sqlite3"
    operator.inside.done("apply", str(DEMO))
    assert operator.inside.done("apply", str(DEMO)) == "15 unchanged\n"
    assert not list(operator.data.glob("*.sqlite3"))


def test_the_file_of_an_agents_keys_is_found_beside_the_declaration(
    operator: Operator, tmp_path: Path
) -> None:
    folder = tmp_path / "declared"
    folder.mkdir()
    (folder / "secret").write_text("a-secret-of-24-characters-or-more\n")
    file = folder / "one.toml"
    file.write_text(
        '[[people]]\nusername = "ana"\n[[agents]]\nclient_id = "a"\nowner = "ana"\n'
        'client_secret_file = "secret"\n'
    )
    assert operator.inside.done("apply", str(file)).endswith("2 added\n")


def test_sigint_stops_it_too(operator: Operator) -> None:
    port = str(free_port())
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", port, *operator.where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    assert process.stdout
    assert process.stdout.readline() == f"ready on http://127.0.0.1:{port}\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors
