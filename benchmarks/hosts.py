"""Two hosts, each as it was and with Deputize added, for what the seam costs their own clients.

Ours, and the server of Authlib's documentation. The plugin has a database file of its own
beside the host's, as it has by default.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

from examples import authlib_server, authlib_server_with_agents
from examples.authlib_server.models import OAuth2Client, OAuth2Token, User
from examples.authlib_server.models import db as documented_db
from flask import Flask

from deputize.settings import Settings as PluginSettings
from deputize_idp import Settings, create_app, declare_client, declare_person
from deputize_idp.clock import now
from deputize_idp.codes import Family
from deputize_idp.configuration import Configuration
from deputize_idp.database import db
from deputize_idp.people import find_by_username
from deputize_idp.tokens import add_access_token
from deputize_idp.with_agents import create_app_with_agents

from .target import API, API_SECRET, HOST, get, granian, post

CLIENT, CLIENT_SECRET = "webapp", "webapp-secret-0123456789"
SECRET_KEY = "signs the cookies of a server that is only measured"
VARIABLE = "BENCHMARK_HOST"


def make_ours(data: Path, issuer: str, with_agents: bool) -> Flask:
    own = Settings(issuer=issuer, data=data)
    if not with_agents:
        return create_app(own)
    return create_app_with_agents(Configuration(own, plugin_settings(data, issuer)))


def make_documented(data: Path, issuer: str, with_agents: bool) -> Flask:
    app = authlib_server.create_app(f"sqlite:///{data / 'authlib.db'}", SECRET_KEY)
    if with_agents:
        authlib_server_with_agents.add_agents(app, plugin_settings(data, issuer))
    return app


def plugin_settings(data: Path, issuer: str) -> PluginSettings:
    return PluginSettings(issuer=issuer, database_url=f"sqlite:///{data / 'deputize.sqlite3'}")


def populate_ours() -> str:
    """Store a person and two clients; return a token of the person's for the first."""
    declare_person("ana", name="Ana Ruiz", password="correct horse battery")
    declare_client(CLIENT, client_secret=CLIENT_SECRET, scopes=["reports"])
    declare_client(API, client_secret=API_SECRET, may_introspect=True)
    person, token = find_by_username("ana"), token_urlsafe(32)
    assert person is not None
    given = Family(client_id=CLIENT, person_id=person.id, scope="openid profile", auth_time=now())
    db.session.add(given)
    add_access_token(token, family=given, scope="openid profile", expires_in=3600)
    db.session.commit()
    db.engine.dispose()
    return token


def populate_documented() -> str:
    """The same, as this server keeps it."""
    token = token_urlsafe(32)
    documented_db.session.add(User(id=1, username="ana"))
    documented_db.session.add(documented_client(CLIENT, CLIENT_SECRET, "reports profile"))
    documented_db.session.add(documented_client(API, API_SECRET, "introspection"))
    documented_db.session.add(
        OAuth2Token(
            client_id=CLIENT,
            user_id=1,
            token_type="Bearer",
            access_token=token,
            scope="profile",
            expires_in=3600,
        )
    )
    documented_db.session.commit()
    documented_db.engine.dispose()
    return token


def documented_client(client_id: str, secret: str, scope: str) -> OAuth2Client:
    row = OAuth2Client(client_id=client_id, client_secret=secret)
    method = {"token_endpoint_auth_method": "client_secret_basic"}
    row.set_client_metadata({"grant_types": ["client_credentials"], "scope": scope} | method)
    return row


@dataclass(frozen=True)
class Kind:
    """How one host is made and filled, and where it answers."""

    name: str
    make: Callable[[Path, str, bool], Flask]
    populate: Callable[[], str]
    userinfo: str
    page: str


KINDS = {
    "deputize_idp": Kind("deputize_idp", make_ours, populate_ours, "/oauth/userinfo", "/sign-in"),
    "authlib docs": Kind("authlib docs", make_documented, populate_documented, "/userinfo", "/"),
}


class HostTarget:
    """One host under measure, with the plugin or without."""

    def __init__(self, kind: Kind, with_agents: bool, data: Path, port: int) -> None:
        self.kind, self.with_agents, self.data, self.port = kind, with_agents, data, port
        data.mkdir(parents=True)
        app = self.make()
        with app.app_context():
            self.token = kind.populate()

    def make(self) -> Flask:
        return self.kind.make(self.data, f"http://{HOST}:{self.port}", self.with_agents)

    def command(self, workers: int) -> list[str]:
        return granian("benchmarks.hosts:create_app_of_environment", self.port, workers)

    def environment(self) -> dict[str, str]:
        given = [self.kind.name, str(self.data), str(self.port), "x" * self.with_agents]
        return {VARIABLE: "\n".join(given)}

    def requests(self) -> dict[str, bytes]:
        """Return what the host's own clients and people ask, one request for each operation."""
        own = {"grant_type": "client_credentials", "scope": "reports"}
        return {
            "a token for itself": post("/oauth/token", own, CLIENT, CLIENT_SECRET),
            "introspection": post("/oauth/introspect", {"token": self.token}, API, API_SECRET),
            "userinfo": get(self.kind.userinfo, self.token),
            "a page": get(self.kind.page),
        }


def create_app_of_environment() -> Flask:
    """The app of a server's worker."""
    name, data, port, with_agents = os.environ[VARIABLE].split("\n")
    return KINDS[name].make(Path(data), f"http://{HOST}:{port}", bool(with_agents))
