"""`deputize` as an operator runs it: a process of its own, and a server over real HTTP."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from click.testing import CliRunner

from deputize_idp.cli import deputize
from idp.browser import Browser
from support import agents_http
from support.world import CALLBACK, authorize_url, read_form

COMMAND = (sys.executable, "-m", "deputize_idp")
DEMO = Path(__file__).parents[2] / "config" / "demo.toml"
PASSWORD = "correct horse battery"
TIMEOUT = 60  # seconds


@dataclass
class Operator:
    """Whoever has a data folder, and a database where it is not in there."""

    data: Path
    database: str | None = None
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *args: str, **given: str) -> subprocess.CompletedProcess[str]:
        """Run one command; `input` is what it reads from standard input."""
        return subprocess.run(
            [*COMMAND, *args, *self.where],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
            env=clean_environment() | self.environ,
            input=given.get("input", ""),
        )

    def done(self, *args: str, **given: str) -> str:
        """Run one command that succeeds; what it printed."""
        ended = self.run(*args, **given)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def failed(self, *args: str, **given: str) -> str:
        """Run one command that fails in one line; that line."""
        ended = self.run(*args, **given)
        assert ended.returncode == 1, (ended.returncode, ended.stdout, ended.stderr)
        (line,) = ended.stderr.splitlines()
        assert "Traceback" not in line
        return line

    @property
    def inside(self) -> "Inside":
        """The same operator, where it is not the process that matters."""
        return Inside(self.data, self.database, self.environ)

    @property
    def where(self) -> list[str]:
        database = ["--database", self.database] if self.database else []
        return ["--data", str(self.data), *database]

    @contextmanager
    def serving(self, *args: str, workers: int = 1) -> Iterator[str]:
        """Serve until the end of the `with`; the URL, once it said that it is ready."""
        port = free_port()
        command = [*COMMAND, "serve", "--port", str(port), "--workers", str(workers), *args]
        process = subprocess.Popen(
            [*command, *self.where],
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment() | self.environ,
        )
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line == f"ready on http://127.0.0.1:{port}\n", line
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) == 0


class Inside(Operator):
    """The same commands without starting a process for each, which takes a second."""

    def run(self, *args: str, **given: str) -> subprocess.CompletedProcess[str]:
        runner = CliRunner(env=dict.fromkeys(os.environ.keys() - clean_environment().keys()))
        ended = runner.invoke(deputize, [*args, *self.where], env=self.environ, **given)
        assert ended.exception is None or isinstance(ended.exception, SystemExit)
        return subprocess.CompletedProcess(args, ended.exit_code, ended.stdout, ended.stderr)


@dataclass
class Served:
    """A running server and its operator."""

    url: str
    operator: Operator

    @property
    def metadata(self) -> dict[str, str]:
        return agents_http.discover(self.url)

    def agent(self, client_id: str) -> agents_http.Agent:
        """An agent, an API or an application of `config/demo.toml`, with its secret."""
        secret = f"{client_id.removesuffix('-api')}-secret-0123456789"
        return agents_http.Agent(client_id, self.metadata, secret=secret)

    def own_token(self, client_id: str) -> str:
        """A token with which the agent acts for itself."""
        answer = self.agent(client_id).post("token_endpoint", grant_type="client_credentials")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def hold(self, client_id: str = "planner", person: str = "ana") -> dict[str, str]:
        """Let the person sign in and consent on the real pages; the token response."""
        verifier, challenge = agents_http.pkce()
        resources = ["https://calendar.example", "https://flights.example"]
        scope = "calendar:read flights:search agents:spawn tasks"
        asked = authorize_url(
            self.metadata, client_id, challenge, resource=resources, scope=scope
        ).removeprefix(self.url)
        with Browser(self.url) as browser:
            assert browser.sign_in(person, PASSWORD).status_code == 303
            page = browser.get(asked)
            assert page.status_code == 200, page.text
            form = read_form(page.text) | {"decision": ["allow"]}
            answer = browser.post(form.pop("action")[0], data=form)
        assert answer.status_code == 303, answer.text
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        redeemed = self.agent(client_id).post(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=verifier,
        )
        assert redeemed.status_code == 200, redeemed.text
        return dict(redeemed.json())

    def hand_over(self, token: str, giver: str, taker: str, scope: str) -> str:
        """The taker's hold on what the giver hands over."""
        given = self.agent(giver).exchange(token, audience=taker, scope=scope)
        assert given.status_code == 200, given.text
        taken = self.agent(taker).exchange(given.json()["access_token"])
        assert taken.status_code == 200, taken.text
        return str(taken.json()["access_token"])


def clean_environment() -> dict[str, str]:
    return {name: v for name, v in os.environ.items() if not name.startswith("DEPUTIZE")}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
