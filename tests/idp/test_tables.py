"""The host's tables: made by migrations, brought up to date at start, with what is in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import text

from deputize_idp import Settings, create_app, declare_client, migrations
from deputize_idp.clients import find_client
from deputize_idp.database import Base, db
from deputize_idp.keys import rotate_signing_key
from idp.browser import SECRET

AS_IT_WAS = """
ALTER TABLE signing_key DROP COLUMN signs_from;
ALTER TABLE client DROP COLUMN post_logout_redirect_uris;
UPDATE signing_key SET retired_at = created_at WHERE position = 1;
DROP TABLE idp_alembic_version
"""


def start(database_url: str, data: Path) -> Flask:
    settings = Settings(issuer="https://id.example", data=data, database_url=database_url)
    return create_app(settings)


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    app = start(database_url, tmp_path)
    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_migrations_make_what_the_models_say(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        options = {"version_table": migrations.VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_tables_from_before_there_were_versions_keep_their_keys_and_clients(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    with app.app_context(), db.engine.begin() as connection:
        declare_client("webapp", client_secret=SECRET)
        rotate_signing_key()
        for statement in AS_IT_WAS.split(";"):
            connection.execute(text(statement))
    before = app.test_client().get
    after = start(database_url, tmp_path)
    with after.app_context():
        client = find_client("webapp")
        assert client
        assert client.post_logout_redirect_uris == []
        db.engine.dispose()
    assert len(after.test_client().get("/oauth/jwks").get_json()["keys"]) == 2
    assert before("/oauth/jwks").get_json() == after.test_client().get("/oauth/jwks").get_json()


def test_starting_again_changes_nothing(app: Flask, database_url: str, tmp_path: Path) -> None:
    again = start(database_url, tmp_path)
    keys = again.test_client().get("/oauth/jwks").get_json()
    assert keys == app.test_client().get("/oauth/jwks").get_json()


def test_a_migration_that_fails_leaves_the_tables_as_they_were(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("halfway")

    with app.app_context():
        db.session.execute(text("DROP TABLE idp_alembic_version"))
        db.session.commit()
        monkeypatch.setattr(command, "upgrade", fail)
        with pytest.raises(RuntimeError):
            migrations.upgrade()
        with db.engine.connect() as connection:
            assert not connection.dialect.has_table(connection, migrations.VERSION_TABLE)
