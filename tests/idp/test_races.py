"""What can be done once is done once, whoever comes at the same time; on each database."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from deputize_idp import Settings
from idp.browser import Application, Browser
from idp.conftest import Idp
from support.serving import serving

THREADS = 20


class IdpOn(Idp):
    """An identity provider on a given database."""

    database_url: str

    def settings(self, url: str) -> Settings:
        return Settings(issuer=url, data=self.data, database_url=self.database_url)


@pytest.fixture(scope="module")
def idp(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    provider = IdpOn(tmp_path_factory.mktemp("idp"))
    provider.database_url = module_database_url
    with serving(provider.start):
        yield provider


def at_once(act: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The same thing by twenty threads that wait for each other first."""
    barrier = Barrier(THREADS)

    def wait_and_act(_: int) -> httpx.Response:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(wait_and_act, range(THREADS)))


def assert_one_wins(answers: list[httpx.Response]) -> dict[str, str]:
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (THREADS - 1)
    refused = {answer.json()["error"] for answer in answers if answer.status_code == 400}
    assert refused == {"invalid_grant"}
    return dict(next(answer.json() for answer in answers if answer.status_code == 200))


def test_a_code_is_redeemed_once(ana: Browser, webapp: Application) -> None:
    code = webapp.code(ana)
    won = assert_one_wins(at_once(lambda: webapp.redeem(code)))
    assert not webapp.is_active(won["access_token"])


def test_a_refresh_token_is_used_once(ana: Browser, webapp: Application) -> None:
    tokens = webapp.tokens(ana)
    won = assert_one_wins(at_once(lambda: webapp.refresh(tokens["refresh_token"])))
    assert webapp.refresh(won["refresh_token"]).json()["error"] == "invalid_grant"


def test_nothing_is_born_alive_under_an_ending(ana: Browser, webapp: Application) -> None:
    """Refresh against revocation: whoever wins, after both nothing of the family is alive."""
    for _ in range(5):
        tokens = webapp.tokens(ana)
        with ThreadPoolExecutor(2) as pool:
            ending = pool.submit(webapp.call, "/oauth/revoke", token=tokens["refresh_token"])
            refreshed = pool.submit(webapp.refresh, tokens["refresh_token"]).result()
        assert ending.result().status_code == 200
        if refreshed.status_code == 200:
            assert not webapp.is_active(refreshed.json()["access_token"])
            assert webapp.refresh(refreshed.json()["refresh_token"]).status_code == 400


def test_consent_given_twice_at_once_is_given(ana: Browser, webapp: Application) -> None:
    page = ana.get("/oauth/authorize", params=webapp.request_parameters(prompt="consent"))
    answers = at_once(lambda: ana.allow(page))
    assert {answer.status_code for answer in answers} == {302}


START = """
import sys
from pathlib import Path
from deputize_idp import Settings, create_app
data, url = sys.argv[1:]
key = "the same key on every machine, 32+"
settings = Settings(issuer="http://127.0.0.1:9", data=Path(data), database_url=url, secret_key=key)
print(create_app(settings).test_client().get("/oauth/jwks").text)
"""


def test_several_servers_start_on_one_empty_database(database_url: str, tmp_path: Path) -> None:
    assert_one_key(database_url, [tmp_path] * 3)


@pytest.mark.postgresql_only
def test_several_machines_start_on_one_empty_database(database_url: str, tmp_path: Path) -> None:
    """Each with a data folder of its own, so that the database alone makes them wait."""
    assert_one_key(database_url, [tmp_path / name for name in "abc"])


def assert_one_key(database_url: str, folders: list[Path]) -> None:
    """Processes that start at once on these data folders find one key between them."""
    commands = [[sys.executable, "-c", START, str(folder), database_url] for folder in folders]
    servers = [subprocess.Popen(c, stdout=subprocess.PIPE, text=True) for c in commands]
    told = {server.communicate(timeout=60)[0] for server in servers}
    assert [server.returncode for server in servers] == [0, 0, 0]
    (key_set,) = told
    assert len(json.loads(key_set)["keys"]) == 1
