"""What each host does in a way of its own, said once, so that the checks are the same.

Ours, and a server after Authlib's Flask documentation with its own user, client and token
tables, with the lines that a team adds to it.
"""

from functools import cache
from pathlib import Path
from typing import Any, Protocol

import httpx
from examples import authlib_server, authlib_server_with_agents
from examples.authlib_server.models import OAuth2Client, User, db
from flask import Flask

from deputize.settings import Settings as PluginSettings
from deputize_idp import Settings, create_app, declare_client, declare_person
from deputize_idp.configuration import Configuration
from deputize_idp.passwords import hash_password
from deputize_idp.with_agents import create_app_with_agents
from idp.browser import CALLBACK, PASSWORD, SECRET, Browser

PEOPLE = ("ana", "ben", "eve")
GRANTS = ["authorization_code", "refresh_token", "client_credentials"]
SECRET_KEY = "only for tests, and long enough for that"


@cache
def password_hash() -> str:
    """Return the one hash of everybody's password: making it is meant to take long."""
    return hash_password(PASSWORD)


class Hosting(Protocol):
    """A host as the tests know it: what each does in a way of its own."""

    name: str
    userinfo: str
    scope: str

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        """Make the host as it was before Deputize."""
        ...

    def make_with_agents(self, settings: PluginSettings, folder: Path) -> Flask:
        """Make the host with Deputize added, as its documentation says."""
        ...

    def populate(self) -> None:
        """Store people and clients: webapp, other, and api, which may introspect any token."""
        ...

    def sign_in(self, browser: Browser, person: str, page: httpx.Response) -> httpx.Response:
        """Fill in the host's sign-in page."""
        ...

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        """Say yes on the host's own consent page, to a client of the host."""
        ...


class DeputizeIdp:
    """Our host."""

    name = "deputize_idp"
    userinfo = "/oauth/userinfo"
    scope = "openid profile"

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

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, decision="allow")


class AuthlibServer:
    """The server of Authlib's documentation, and the lines that a team adds to it."""

    name = "authlib_server"
    userinfo = "/userinfo"
    scope = "profile"

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

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, confirm="yes")


HOSTINGS = (DeputizeIdp(), AuthlibServer())
