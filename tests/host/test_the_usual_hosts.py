"""Hosts whose users are objects: over Flask's session, and over Flask-Login."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import flask_login
import pytest
from flask import Flask, session

from deputize.host import FlaskLoginHost, Paths, Person, SessionHost


@dataclass
class User(flask_login.UserMixin):  # type: ignore[misc]
    id: int
    username: str
    is_active: bool = True  # type: ignore[assignment]
    groups: list[str] = field(default_factory=list)


USERS = {"1": User(1, "ana", groups=["finance"]), "2": User(2, "ben", is_active=False)}


class People:
    """What a team writes for either."""

    paths = Paths(token="/token")

    def load_user(self, key: str) -> User | None:
        return USERS.get(key)

    def find_user(self, username: str) -> User | None:
        return next((u for u in USERS.values() if u.username == username), None)

    def groups_of(self, user: User) -> frozenset[str]:
        return frozenset(user.groups)


class BySession(People, SessionHost):
    sign_in_endpoint = "log_in"


class ByFlaskLogin(People, FlaskLoginHost):
    pass


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "only for tests"
    app.add_url_rule("/log-in", "log_in", lambda: "sign in")
    manager = flask_login.LoginManager(app)
    manager.login_view = "log_in"
    manager.user_loader(USERS.get)
    return app


@pytest.fixture(params=[BySession, ByFlaskLogin])
def host(request: pytest.FixtureRequest) -> Any:
    return request.param()


def sign_in(key: str) -> None:
    session["user_id"] = session["_user_id"] = key


def test_who_is_signed_in(app: Flask, host: Any) -> None:
    with app.test_request_context("/"):
        assert host.current_person() is None
    with app.test_request_context("/"):
        sign_in("1")
        assert host.current_person() == Person("1", "ana", frozenset({"finance"}))


def test_somebody_locked_out_is_nobody(app: Flask, host: Any) -> None:
    with app.test_request_context("/"):
        sign_in("2")
        assert host.current_person() is None
        assert host.find_person("2") == Person("2", "ben")
        assert not host.is_active("2")


def test_somebody_who_is_not_there_is_not_active(app: Flask, host: Any) -> None:
    with app.test_request_context("/"):
        assert host.is_active("1")
        assert not host.is_active("3")
        assert host.find_person("3") is None


def test_a_declaration_finds_people_by_name(host: Any) -> None:
    assert host.find_person_by_name("ana") == Person("1", "ana", frozenset({"finance"}))
    assert host.find_person_by_name("nobody") is None


def test_where_to_sign_in(app: Flask, host: Any) -> None:
    with app.test_request_context("/"):
        path, _, query = host.sign_in_url("/oauth/authorize?a=1&b=2").partition("?")
        assert (path, parse_qs(query)) == ("/log-in", {"next": ["/oauth/authorize?a=1&b=2"]})
        assert host.authentication() is None


def test_a_login_manager_without_a_page_says_so(app: Flask) -> None:
    app.login_manager.login_view = None  # type: ignore[attr-defined]
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="login_view"):
        ByFlaskLogin().sign_in_url("/")
