"""A host that lacks something is refused at start; `flask deputize check` tells the rest."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, jsonify

from deputize import Deputize
from deputize.check import Kind
from deputize.cli import deputize as commands
from deputize.host import Paths
from deputize.part import ConfigurationError
from deputize.settings import Settings
from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.with_agents import close, create_app_with_agents
from support.world import BareHost, bare_app, people

ISSUER = "https://id.example.com"


def settings(folder: Path, **given: Any) -> Settings:
    url = f"sqlite:///{folder}/deputize.sqlite3"
    return Settings(**{"issuer": ISSUER, "database_url": url, "key_secret": "k" * 32} | given)


def check(app: Flask) -> tuple[int, str]:
    told = app.test_cli_runner().invoke(commands, ["check"])
    return told.exit_code, told.output


class TestAtStart:
    @pytest.mark.parametrize(
        "member",
        [
            "current_person", "sign_in_url", "authentication", "find_person",
            "find_person_by_name", "person_from_token", "is_active",
        ],
    )  # fmt: skip
    def test_a_member_that_is_missing_is_named(self, tmp_path: Path, member: str) -> None:
        host = people()
        setattr(host, member, None)
        with pytest.raises(ConfigurationError, match=f"Host.{member} is missing: add `def"):
            Deputize(host=host, settings=settings(tmp_path))

    def test_a_member_that_takes_something_else_is_named(self, tmp_path: Path) -> None:
        host = people()
        host.is_active = lambda: True  # type: ignore[method-assign, assignment]
        with pytest.raises(ConfigurationError, match=r"Host.is_active is called otherwise"):
            Deputize(host=host, settings=settings(tmp_path))

    def test_one_that_may_be_left_out_is_looked_at_where_it_is(self, tmp_path: Path) -> None:
        host = people()
        host.find_person_by_hint = lambda: None  # type: ignore[method-assign, assignment]
        with pytest.raises(ConfigurationError, match=r"Host.find_person_by_hint is called other"):
            Deputize(host=host, settings=settings(tmp_path))

    @pytest.mark.parametrize(
        ("paths", "told"),
        [
            (None, "Host.paths is missing"),
            ({"token": "/token"}, "Host.paths is missing"),
            (Paths(token="token"), "Host.paths.token is 'token'"),
            (Paths(token="https://id.example.com/token"), "Host.paths.token is 'https:"),
            (Paths(token="/a", jwks="/a"), "Host.paths.jwks is '/a', as token is"),
        ],
    )
    def test_paths_that_are_none_are_named(self, tmp_path: Path, paths: Any, told: str) -> None:
        host = people()
        host.paths = paths
        with pytest.raises(ConfigurationError, match=told):
            Deputize(host=host, settings=settings(tmp_path))

    def test_everything_is_told_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as told:
            Deputize(host=object(), settings=settings(tmp_path))  # type: ignore[arg-type]
        assert len(str(told.value).splitlines()) == 8


def plugged(host: BareHost, folder: Path, app: Flask | None = None, **given: Any) -> Flask:
    app = app or bare_app(host)
    Deputize(host=host, settings=settings(folder, **given)).init_app(app)
    return app


class TestCheck:
    def test_a_host_that_fits(self, tmp_path: Path) -> None:
        host = people()
        host.paths = Paths(token="/token")
        code, told = check(plugged(host, tmp_path))
        assert code == 0, told
        assert "token: /token, the host's" in told
        assert "jwks: the host has none, Deputize serves /oauth/jwks" in told
        assert Kind.MISSING not in told

    def test_a_path_where_nothing_answers(self, tmp_path: Path) -> None:
        host = people()
        app = bare_app(host)
        host.paths = Paths(token="/token")
        code, told = check(plugged(host, tmp_path, app))
        assert code == 1
        assert "token: Host.paths names /token, where the app answers no POST" in told

    def test_an_endpoint_that_is_not_named(self, tmp_path: Path) -> None:
        app = bare_app(people())
        app.add_url_rule("/idp/token", "theirs", lambda: "", methods=["POST"])
        code, told = check(plugged(people(), tmp_path, app))
        assert code == 1
        assert "add paths = Paths(..., token='/idp/token')" in told

    def test_a_document_that_says_otherwise(self, tmp_path: Path) -> None:
        host = people()
        app = bare_app(host)
        host.paths = Paths(token="/token", oauth_metadata="/.well-known/oauth-authorization-server")
        app.add_url_rule("/token", "token", lambda: "", methods=["POST"])
        document = {"issuer": "https://other.example", "token_endpoint": f"{ISSUER}/idp/token"}
        app.add_url_rule(str(host.paths.oauth_metadata), "metadata", lambda: jsonify(document))
        code, told = check(plugged(host, tmp_path, app))
        assert code == 1
        assert "the host calls itself https://other.example" in told
        assert "add paths = Paths(..., token='/idp/token')" in told

    def test_a_hook_that_goes_first(self, tmp_path: Path) -> None:
        app = plugged(people(), tmp_path)
        app.before_request_funcs[None].insert(0, lambda: None)
        assert "call init_app last" in check(app)[1]

    def test_an_app_without_a_secret_key(self, tmp_path: Path) -> None:
        app = plugged(people(), tmp_path)
        app.secret_key = None
        code, told = check(app)
        assert (code, "app.secret_key = ..." in told) == (1, True)

    def test_what_is_only_advised_fails_nothing(self, tmp_path: Path) -> None:
        app = plugged(people(), tmp_path, key_secret=None)
        app.extensions["migrate"] = object()
        code, told = check(app)
        assert code == 0
        assert "key_secret = ..." in told
        assert "include_name" in told

    def test_our_host_fits(self, tmp_path: Path) -> None:
        app = create_app_with_agents(load_configuration(Chosen(tmp_path), {}))
        code, told = check(app)
        assert code == 0, told
        close(app)

    def test_where_it_was_not_added_it_says_so(self) -> None:
        code, told = check(Flask(__name__))
        assert code == 1
        assert "call Deputize(host=...).init_app(app)" in told
