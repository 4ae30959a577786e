"""What a host is said to lack, it lacks: no check is left out for a wrong reason."""

from pathlib import Path

import pytest
from flask import Flask

from hosts.hosting import Hosting
from hosts.hostings import HOSTINGS

KNOWN = {"clients", "id tokens", "tables", "registration", "lockout", "csrf", "passwords"}
ISSUER = "http://127.0.0.1:8000"


@pytest.fixture
def plain(hosting: Hosting, tmp_path: Path) -> Flask:
    """The host without agents."""
    (tmp_path / "data").mkdir()
    return hosting.make(ISSUER, f"sqlite:///{tmp_path}/host.db", tmp_path / "data")


def answers(app: Flask, path: str) -> bool:
    return app.test_client().post(path, base_url=ISSUER).status_code != 404


def test_each_lack_is_known_and_has_a_reason(hosting: Hosting) -> None:
    assert set(hosting.lacks) <= KNOWN
    assert all(hosting.lacks.values())


def test_every_check_is_run_on_some_host() -> None:
    assert [what for what in KNOWN if all(what in hosting.lacks for hosting in HOSTINGS)] == []


def test_clients_and_their_tokens(hosting: Hosting, plain: Flask) -> None:
    assert answers(plain, "/oauth/token") == ("clients" not in hosting.lacks)


def test_registration(hosting: Hosting, plain: Flask) -> None:
    assert answers(plain, "/oauth/register") == ("registration" not in hosting.lacks)


def test_csrf(hosting: Hosting, plain: Flask) -> None:
    page = plain.test_client().get(hosting.sign_in_page, base_url=ISSUER).text
    assert ("csrf_token" in page) == ("csrf" not in hosting.lacks)


def test_tables(hosting: Hosting, plain: Flask, tmp_path: Path) -> None:
    with plain.app_context():
        hosting.populate()
    assert (tmp_path / "host.db").exists() == ("tables" not in hosting.lacks)
