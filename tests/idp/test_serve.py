"""The server as it is run: several workers, ready when it says so, stopped by SIGTERM."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deputize_idp import Settings, create_app
from idp.browser import Application, Browser
from idp.conftest import declare_everybody

RUN = """
import sys
from pathlib import Path
from deputize_idp import Settings
from deputize_idp.serve import serve
port = int(sys.argv[1])
serve(Settings(issuer=f"http://127.0.0.1:{port}", data=Path(sys.argv[2])), "127.0.0.1", port, 2)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def run(port: int, data: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(port), str(data)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port, data = free_port(), tmp_path_factory.mktemp("served")
    url = f"http://127.0.0.1:{port}"
    with create_app(Settings(issuer=url, data=data)).app_context():
        declare_everybody()
    process = run(port, data)
    assert process.stdout
    assert process.stdout.readline() == f"ready on {url}\n"
    yield process, url
    if process.poll() is None:
        process.kill()
        process.wait()


def test_it_answers_once_it_says_ready(served: tuple[subprocess.Popen[str], str]) -> None:
    assert httpx.get(f"{served[1]}/health/ready").json() == {"status": "ok"}
    assert httpx.get(f"{served[1]}/health/live").json() == {"status": "ok"}


def test_workers_share_people_sessions_and_codes(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    with Browser(served[1]) as browser, Application(served[1]) as webapp:
        browser.sign_in()
        for _ in range(5):
            token = webapp.tokens(browser)["access_token"]
            assert webapp.is_active(token)


def test_a_taken_port_is_one_line_and_exit_1(
    served: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    port = int(served[1].rpartition(":")[2])
    second = run(port, tmp_path)
    _, errors = second.communicate(timeout=20)
    assert second.returncode == 1
    assert len(errors.splitlines()) == 1
    assert errors.startswith(f"127.0.0.1:{port}: Address already in use")


def test_sigterm_stops_it_with_exit_0(served: tuple[subprocess.Popen[str], str]) -> None:
    process, url = served
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health/live")
