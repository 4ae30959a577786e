"""Declaring people and clients: again and again, and what can't be declared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.ctx import AppContext
from pydantic import SecretStr, ValidationError
from sqlalchemy import delete

from deputize_idp import DeclarationError, Settings, create_app, declare_client, declare_person
from deputize_idp.clients import Client
from deputize_idp.codes import Family
from deputize_idp.database import db
from deputize_idp.host import IdpHost
from deputize_idp.people import Person, authenticate_person, find_by_username
from deputize_idp.sweep import sweep
from idp.browser import PASSWORD, SECRET, Application, Browser
from idp.conftest import Idp


@pytest.fixture(scope="module")
def app(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    data = tmp_path_factory.mktemp("idp")
    return create_app(
        Settings(issuer="https://id.example", data=data, database_url=module_database_url)
    )


@pytest.fixture
def operator(app: Flask) -> Iterator[AppContext]:
    """Whoever declares, where nobody is declared yet."""
    with app.app_context() as context:
        for table in (Person, Client):
            db.session.execute(delete(table))
        db.session.commit()
        yield context


@pytest.mark.usefixtures("operator")
class TestPeople:
    def test_the_same_again_changes_nothing(self) -> None:
        first = declare_person("ana", name="Ana", password=PASSWORD, groups=["b", "a"])
        again = declare_person("ana", name="Ana", password=PASSWORD, groups=["a", "b"])
        assert first.created
        assert not again.created
        assert again.changed == ()

    def test_it_says_what_changed(self) -> None:
        declare_person("ana", name="Ana", password=PASSWORD)
        changed = declare_person("Ana", name="Ana Ruiz", password="new", roles=["admin"]).changed
        assert set(changed) == {"name", "password_hash", "roles"}

    def test_the_id_stays_when_all_else_changes(self) -> None:
        declare_person("ana", name="Ana", email="ana@example.com")
        before = find_by_username("ana")
        declare_person("ana", name="Someone", email=None)
        after = find_by_username("ana")
        assert before
        assert after
        assert before.id == after.id

    def test_a_hash_made_elsewhere_is_taken_and_renewed_at_sign_in(self) -> None:
        weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
        declare_person("ana", password=weak)
        assert declare_person("ana", password=weak).changed == ()
        assert authenticate_person("ana", PASSWORD)
        person = find_by_username("ana")
        assert person
        assert person.password_hash != weak
        assert authenticate_person("ana", PASSWORD)

    def test_without_a_password_it_stays(self) -> None:
        declare_person("ana", password=PASSWORD)
        assert declare_person("ana").changed == ()
        assert authenticate_person("ana", PASSWORD)

    def test_without_any_nobody_signs_in(self) -> None:
        declare_person("ana")
        assert authenticate_person("ana", "") is None

    @pytest.mark.parametrize("username", ["", " ", "a b", "a\nb", "a\0b", "a" * 101])
    def test_a_user_name_that_can_not_be(self, username: str) -> None:
        with pytest.raises(DeclarationError, match="username"):
            declare_person(username)

    @pytest.mark.parametrize("password", ["", "x" * 1025, "$argon2id$nonsense"])
    def test_a_password_that_can_not_be(self, password: str) -> None:
        with pytest.raises(DeclarationError, match="password"):
            declare_person("ana", password=password)
        assert find_by_username("ana") is None


@pytest.mark.usefixtures("operator")
class TestClients:
    def test_the_same_again_changes_nothing(self) -> None:
        declared: dict[str, Any] = {"redirect_uris": ["https://app.example/cb"], "scopes": ["a"]}
        assert declare_client("app", client_secret=SECRET, **declared).created
        assert declare_client("app", client_secret=SECRET, **declared).changed == ()

    def test_left_out_the_secret_stays(self) -> None:
        """Else what was exported, without secrets, would make every client public."""
        declare_client("app", client_secret=SECRET)
        assert declare_client("app").changed == ()
        assert declare_client("app", token_endpoint_auth_method="none").changed

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("client_secret", "short"),
            ("token_endpoint_auth_method", "private_key_jwt"),
            ("grant_types", ["implicit"]),
            ("scopes", ["two words"]),
            ("redirect_uris", ["http://app.example/cb"]),
            ("redirect_uris", ["https://app.example/cb#part"]),
            ("redirect_uris", ["https://user@app.example/cb"]),
            ("redirect_uris", ["https:///cb"]),
            ("redirect_uris", ["/cb"]),
            ("redirect_uris", ["javascript:alert(1)"]),
            ("redirect_uris", ["data:text/html,x"]),
            ("redirect_uris", ["https://app.example/a b"]),
            ("redirect_uris", ["https://[app/cb"]),
        ],
    )
    def test_what_can_not_be_is_named(self, key: str, value: object) -> None:
        with pytest.raises(DeclarationError, match=f"^{key}: "):
            declare_client("app", **{key: value})  # type: ignore[arg-type]


class TestAtRest:
    def test_no_secret_lies_in_the_database(self, tmp_path: Path) -> None:
        """Passwords, client secrets and the signing key."""
        settings = Settings(issuer="https://id.example", data=tmp_path / "own")
        app = create_app(settings)
        with app.app_context():
            declare_person("ana", password=PASSWORD)
            declare_client("app", client_secret=SECRET)
        stored = b"".join(path.read_bytes() for path in settings.data.glob("idp.sqlite3*"))
        assert b"ana" in stored
        assert PASSWORD.encode() not in stored
        assert SECRET.encode() not in stored
        assert b'"dp"' not in stored

    def test_nobody_else_reads_the_files(self, tmp_path: Path) -> None:
        data = tmp_path / "own"
        create_app(Settings(issuer="https://id.example", data=data))
        assert data.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in data.iterdir()} == {0o600}

    def test_another_secret_key_is_told_at_start(self, tmp_path: Path) -> None:
        settings = Settings(issuer="https://id.example", data=tmp_path)
        create_app(settings)
        other = {"secret_key": SecretStr("another key of 32 characters at least")}
        with pytest.raises(RuntimeError, match="secret_key"):
            create_app(settings.model_copy(update=other))


class TestSweep:
    def test_what_is_over_is_deleted_and_what_lives_stays(
        self, idp: Idp, ana: Browser, webapp: Application, job: Application
    ) -> None:
        with idp.app.app_context():
            sweep()
        lives = webapp.tokens(ana)
        job.call("/oauth/token", grant_type="client_credentials")
        idp.clock.ahead += 3601
        with idp.app.app_context():
            assert sweep() == 3  # two access tokens, and the job's family
        assert webapp.refresh(lives["refresh_token"]).status_code == 200
        idp.clock.ahead += 365 * 86400
        with idp.app.app_context():
            assert sweep() > 0
            assert db.session.query(Family).count() == 0
        idp.clock.ahead = 0


class TestSettings:
    @pytest.mark.parametrize(
        "issuer",
        [
            "http://id.example",
            "https://id.example/",
            "https://id.example/path",
            "https://id.example?a=b",
            "https://user@id.example",
            "https://",
            "id.example",
            "ftp://id.example",
        ],
    )
    def test_an_issuer_that_can_not_be(self, tmp_path: Path, issuer: str) -> None:
        with pytest.raises(ValidationError, match="issuer"):
            Settings(issuer=issuer, data=tmp_path)

    def test_durations_may_have_a_unit(self, tmp_path: Path) -> None:
        settings = Settings(
            issuer="http://localhost:8000", data=tmp_path, session_lifetime="8h", code_lifetime=30
        )
        assert (settings.session_lifetime, settings.code_lifetime) == (28800, 30)

    @pytest.mark.parametrize("bad", [{"lifetime": 1}, {"code_lifetime": 0}, {"secret_key": "x"}])
    def test_unknown_and_unsafe_values_are_refused(
        self, tmp_path: Path, bad: dict[str, Any]
    ) -> None:
        with pytest.raises(ValidationError):
            Settings(issuer="https://id.example", data=tmp_path, **bad)

    def test_cookies_insist_on_https_where_there_is_https(self, tmp_path: Path) -> None:
        app = create_app(Settings(issuer="https://id.example", data=tmp_path / "own"))
        answer = app.test_client().get("/sign-in")
        assert answer.headers["Set-Cookie"].startswith("__Host-session=")
        assert "; Secure;" in answer.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in answer.headers


@pytest.mark.usefixtures("operator")
def test_a_hint_names_the_one_person_who_is_called_so(app: Flask) -> None:
    """For CIBA's `login_hint`: a name that two people have names neither."""
    declare_person("ana", email="ana@example.com")
    declare_person("ben", email="team@example.com")
    declare_person("cleo", email="team@example.com")
    declare_person("dan@example.com", email="other@example.com")
    declare_person("eve", email="dan@example.com")
    host = IdpHost(app)
    for hint in ("ana", "ana@example.com"):
        found = host.find_person_by_hint(hint)
        assert found == host.find_person_by_name("ana") is not None
    for hint in ("team@example.com", "dan@example.com", "nobody", "", "%", "a\ud7ff" * 200):
        assert host.find_person_by_hint(hint) is None
