"""`pip install "deputize[server]"`, outside the checkout: it serves, and plays the story."""

import signal
import tomllib

import httpx
from tests.packaging.installed import ROOT, Environment

from cli.running import free_port


def test_it_serves_until_it_is_told_to_stop(server: Environment) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server.running("deputize", "serve", "--port", str(port), "--data", "data") as process:
        assert process.stdout
        assert process.stdout.readline() == f"ready on {url}\n"
        document = httpx.get(f"{url}/.well-known/openid-configuration").json()
        assert document["issuer"] == url
        assert (
            "urn:ietf:params:oauth:grant-type:token-exchange" in document["grant_types_supported"]
        )
        page = httpx.get(f"{url}/sign-in")
        assert 'href="/static/idp.css"' in page.text
        assert httpx.get(f"{url}/static/idp.css").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_the_demo_plays_the_story(server: Environment) -> None:
    told = server.done("deputize", "demo", "--once")
    assert "planner" in told
    assert "not as told" not in told


def test_its_settings_are_those_of_the_repository(server: Environment) -> None:
    printed = server.done("deputize", "config", "default")
    assert tomllib.loads(printed) == tomllib.loads((ROOT / "config/default.toml").read_text())


def test_postgresql_is_an_extra_of_its_own(server: Environment) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    ended = server.run("deputize", "people", "list", "--data", "other", "--database", url)
    assert ended.returncode == 1
    assert ended.stderr == 'database: PostgreSQL needs pip install "deputize[postgres]"\n'
