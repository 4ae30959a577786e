"""The pure grant on Authlib's own server: `server.register_grant(TokenExchangeGrant)`."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from examples import only_the_exchange
from examples.authlib_server import oauth2
from examples.authlib_server.models import OAuth2Client, db
from flask import Flask

from deputize.oauth.rfc8693 import ACCESS_TOKEN_TYPE, JWT_TYPE, TokenExchangeGrant
from support.serving import serving

SECRET = "a-secret-of-more-than-24-characters"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("host")
    grants = list(oauth2.authorization._token_grants)

    def make_app(_url: str) -> Flask:
        app = only_the_exchange.create_app(f"sqlite:///{folder}/host.sqlite3", "only for tests")
        with app.app_context():
            for client_id in ("webapp", "other"):
                db.session.add(client(client_id))
            db.session.commit()
        return app

    with serving(make_app) as url:
        yield url
    # The server of the documentation is one object for all apps of a process.
    oauth2.authorization._token_grants[:] = grants


def client(client_id: str) -> OAuth2Client:
    made = OAuth2Client(client_id=client_id, client_secret=SECRET, client_id_issued_at=1)
    made.set_client_metadata(
        {
            "grant_types": ["client_credentials", TokenExchangeGrant.GRANT_TYPE],
            "scope": "profile reports",
            "token_endpoint_auth_method": "client_secret_basic",
        }
    )
    return made


def ask(url: str, client_id: str = "webapp", /, **form: Any) -> httpx.Response:
    return httpx.post(f"{url}/oauth/token", data=form, auth=(client_id, SECRET), trust_env=False)


def exchange(url: str, token: str, client_id: str = "webapp", /, **form: Any) -> httpx.Response:
    usual = {
        "grant_type": TokenExchangeGrant.GRANT_TYPE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN_TYPE,
    }
    return ask(url, client_id, **usual | form)


@pytest.fixture(scope="module")
def token(url: str) -> str:
    answer = ask(url, grant_type="client_credentials", scope="profile reports")
    return str(answer.json()["access_token"])


def test_a_client_narrows_its_token(url: str, token: str) -> None:
    answer = exchange(url, token, scope="reports")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["issued_token_type"] == ACCESS_TOKEN_TYPE
    assert (told["token_type"], told["scope"]) == ("Bearer", "reports")
    assert 0 < told["expires_in"] <= 300
    assert "refresh_token" not in told
    again = exchange(url, told["access_token"])
    assert again.json()["scope"] == "reports"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "profile admin"}, "invalid_scope"),
        ({"subject_token": "garbage"}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": JWT_TYPE}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN_TYPE}, "invalid_request"),
        ({"requested_token_type": JWT_TYPE}, "invalid_request"),
        ({"resource": ["https://a.example", "https://b.example"]}, "invalid_target"),
        ({"resource": "https://a.example", "audience": "b"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ],
)
def test_what_is_wrong_is_said_as_the_rfc_names_it(
    url: str, token: str, changes: dict[str, Any], error: str
) -> None:
    answer = exchange(url, token, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_another_clients_token_is_not_good(url: str, token: str) -> None:
    assert exchange(url, token, "other").json()["error"] == "invalid_request"
