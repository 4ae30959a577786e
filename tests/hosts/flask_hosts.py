"""Ours; a server after Authlib's Flask documentation with its own user, client and token
tables; and a bare Flask app, with the lines that a team adds to each.
"""

from functools import cache
from pathlib import Path
from typing import Any

import httpx
from examples import authlib_server, authlib_server_with_agents, bare_flask
from examples.authlib_server.models import OAuth2Client, User, db
from examples.authlib_server.oauth2 import authorization
from flask import Flask, current_app
from sqlalchemy import MetaData, create_engine, select

from deputize.settings import Settings as PluginSettings
from deputize_idp import Settings, create_app, declare_client, declare_person, keys
from deputize_idp.configuration import Configuration
from deputize_idp.database import Base
from deputize_idp.migrations import VERSION_TABLE
from deputize_idp.oauth import server
from deputize_idp.passwords import hash_password
from deputize_idp.with_agents import create_app_with_agents
from hosts.hosting import GRANTS, PEOPLE, SECRET_KEY, Rows
from idp.browser import CALLBACK, PASSWORD, SECRET, Browser

NO_REGISTRATION = "the host has none: the plugin serves it"


@cache
def password_hash() -> str:
    """Return the one hash of everybody's password: making it is meant to take long."""
    return hash_password(PASSWORD)


def rows_of(database_url: str) -> Rows:
    """Return every row of every table that is not ours."""
    engine = create_engine(database_url)
    tables = MetaData()
    tables.reflect(engine, only=lambda name, _: not name.startswith("deputize_"))
    with engine.connect() as connection:
        rows = {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in tables.tables.items()
        }
    engine.dispose()
    return rows


class DeputizeIdp:
    """Our host."""

    name = "deputize_idp"
    lacks = {"registration": NO_REGISTRATION}  # noqa: RUF012
    told = frozenset({"auth_time", "acr", "amr"})
    faults: frozenset[str] = frozenset()
    is_alone = False
    userinfo = "/oauth/userinfo"
    jwks = "/oauth/jwks"
    scope = "openid profile"
    version_table = VERSION_TABLE
    sign_in_page = "/sign-in?next=/account"

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        return create_app(Settings(issuer=url, database_url=database_url, data=folder))

    def make_with_agents(self, settings: PluginSettings, folder: Path) -> Flask:
        url = settings.database_url
        own = Settings(issuer=settings.issuer, database_url=url, data=folder)
        return create_app_with_agents(Configuration(own, settings))

    def populate(self) -> None:
        for name in PEOPLE:
            declare_person(name, name=name.title(), password=password_hash())
        scopes = ["openid", "profile", "reports"]
        common: dict[str, Any] = {"client_secret": SECRET, "scopes": scopes, "grant_types": GRANTS}
        for client_id in ("webapp", "other"):
            declare_client(client_id, redirect_uris=[CALLBACK], **common)
        declare_client("api", client_secret=SECRET, may_introspect=True)

    def sign_in(self, browser: Browser, person: str, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, username=person, password=PASSWORD)

    def sign_out(self, browser: Browser) -> httpx.Response:
        return browser.submit(browser.get("/sign-out"))

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, decision="allow")

    def lock_out(self, person: str) -> None:
        declare_person(person, name=person.title(), active=False)

    def knows_client(self, client_id: str) -> bool:
        return server.query_client(client_id) is not None

    def keys(self) -> list[dict[str, Any]]:
        return list(keys.jwks()["keys"])

    def rows(self, database_url: str) -> Rows:
        return rows_of(database_url)

    def tables(self) -> MetaData:
        return Base.metadata


class AuthlibServer:
    """The server of Authlib's documentation, and the lines that a team adds to it."""

    name = "authlib_server"
    lacks = {  # noqa: RUF012
        "registration": NO_REGISTRATION,
        "id tokens": "OAuth 2.0 alone",
        "lockout": "whoever exists is active",
        "csrf": "the guide's forms carry no token",
        "passwords": "whoever types a name is that user, until they sign out",
    }
    told: frozenset[str] = frozenset()
    faults: frozenset[str] = frozenset()
    is_alone = False
    userinfo = "/userinfo"
    jwks = "/oauth/jwks"
    scope = "profile"
    version_table = "alembic_version"
    sign_in_page = "/"

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        return authlib_server.create_app(database_url, f"{SECRET_KEY}: {url}")

    def make_with_agents(self, settings: PluginSettings, folder: Path) -> Flask:
        app = self.make(settings.issuer, settings.database_url, folder)
        self.add_agents(app, settings)
        return app

    def add_agents(self, app: Flask, settings: PluginSettings) -> None:
        authlib_server_with_agents.add_agents(app, settings)

    def populate(self) -> None:
        db.session.add_all(User(username=name) for name in PEOPLE)
        for client_id, scope in (
            ("webapp", "profile reports"),
            ("other", "profile reports"),
            ("api", "introspection"),
        ):
            client = OAuth2Client(client_id=client_id, client_secret=SECRET, client_id_issued_at=1)
            client.set_client_metadata(
                {
                    "client_name": client_id,
                    "grant_types": GRANTS,
                    "redirect_uris": [CALLBACK],
                    "response_types": ["code"],
                    "scope": scope,
                    "token_endpoint_auth_method": "client_secret_basic",
                }
            )
            db.session.add(client)
        db.session.commit()

    def sign_in(self, browser: Browser, person: str, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, username=person)

    def sign_out(self, browser: Browser) -> httpx.Response:
        return browser.submit(browser.get("/"))

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, confirm="yes")

    def lock_out(self, person: str) -> None:
        raise NotImplementedError(self.lacks["lockout"])

    def knows_client(self, client_id: str) -> bool:
        return authorization.query_client(client_id) is not None

    def keys(self) -> list[dict[str, Any]]:
        return []

    def rows(self, database_url: str) -> Rows:
        return rows_of(database_url)

    def tables(self) -> MetaData:
        return db.metadata


class BareFlask:
    """People in a dictionary, and no OAuth: the plugin serves every endpoint."""

    name = "bare_flask"
    lacks = {  # noqa: RUF012
        "clients": "no OAuth server of its own, so neither clients nor tokens",
        "registration": NO_REGISTRATION,
        "tables": "its people are in a dictionary",
    }
    told = frozenset({"auth_time", "amr"})
    faults: frozenset[str] = frozenset()
    is_alone = False
    userinfo = ""
    jwks = "/oauth/jwks"
    scope = ""
    version_table = ""
    sign_in_page = "/sign-in"

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        return bare_flask.create_plain_app(f"{SECRET_KEY}: {url}")

    def make_with_agents(self, settings: PluginSettings, folder: Path) -> Flask:
        app = self.make(settings.issuer, settings.database_url, folder)
        bare_flask.add_agents(app, settings)
        return app

    def populate(self) -> None:
        """Its people are there."""

    def sign_in(self, browser: Browser, person: str, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, username=person, password=PASSWORD)

    def sign_out(self, browser: Browser) -> httpx.Response:
        return browser.submit(browser.get("/"))

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        raise NotImplementedError(self.lacks["clients"])

    def lock_out(self, person: str) -> None:
        current_app.extensions["people"].find_by_username(person).is_active = False

    def knows_client(self, client_id: str) -> bool:
        return False

    def keys(self) -> list[dict[str, Any]]:
        return []

    def rows(self, database_url: str) -> Rows:
        return {}

    def tables(self) -> MetaData:
        raise NotImplementedError(self.lacks["tables"])
