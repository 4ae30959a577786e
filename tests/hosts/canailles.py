"""Canaille as it is published, with its SQL backend and with its backend in memory.

One app to a process: its backend and its OAuth server are module globals, so that a second
`create_app` takes both away from the first.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import canaille
import httpx
from canaille.app import models
from canaille.backends import Backend
from canaille.oidc.jose import server_jwks
from canaille.oidc.provider import query_client
from examples import canaille_with_agents
from flask import Flask
from joserfc.jwk import RSAKey
from sqlalchemy import MetaData

from deputize.settings import Settings
from hosts.flask_hosts import rows_of
from hosts.hosting import GRANTS, PEOPLE, SECRET_KEY, Rows
from idp.browser import CALLBACK, PASSWORD, SECRET, Browser, forms


@cache
def signing_key() -> dict[str, Any]:
    """Return the key that Canaille signs with."""
    return RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)


class Canaille:
    """Canaille, whatever it stores people and clients in."""

    lacks: dict[str, str] = {}  # noqa: RUF012
    told = frozenset({"amr"})
    #: It reads `grant_type` out of the form before Authlib can say that it is missing.
    faults = frozenset({"JSON for a form"})
    is_alone = True
    #: More of its settings.
    rules: Mapping[str, Any] = {}
    userinfo = "/oauth/userinfo"
    jwks = "/oauth/jwks.json"
    scope = "openid profile"
    version_table = "alembic_version"
    sign_in_page = "/login"

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.name = f"canaille_{backend}"

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        return canaille.create_app(
            {
                "SECRET_KEY": f"{SECRET_KEY}: {url}",
                "SERVER_NAME": urlsplit(url).netloc,
                "PREFERRED_URL_SCHEME": "http",
                "CANAILLE": {"DATABASE": self.backend, "SMTP": None} | self.rules,
                "CANAILLE_SQL": {
                    "DATABASE_URI": database_url,
                    # Its default takes as long as it is meant to; the tests sign in often.
                    "PASSWORD_HASH_PARAMS": {"pbkdf2_sha512__rounds": 1000},
                },
                "CANAILLE_OIDC": {"ACTIVE_JWKS": [signing_key()]},
            }
        )

    def make_with_agents(self, settings: Settings, folder: Path) -> Flask:
        app = self.make(settings.issuer, settings.database_url, folder)
        canaille_with_agents.add_agents(app, settings)
        return app

    def populate(self) -> None:
        for name in PEOPLE:
            person = {"formatted_name": name.title(), "family_name": name.title()}
            email = f"{name}@example.com"
            Backend.instance.save(
                models.User(user_name=name, emails=[email], password=PASSWORD, **person)
            )
        webapp, other, api = map(_client, ("webapp", "other", "api"))
        for client in (webapp, other, api):
            # Whoever is in the audience of a client's tokens may introspect them.
            client.audience = [client] if client is api else [client, api]
            Backend.instance.save(client)

    def sign_in(self, browser: Browser, person: str, page: httpx.Response) -> httpx.Response:
        if "login" in forms(page)[0].fields:
            to_password = browser.submit(page, login=person)
            page = browser.get(urljoin(str(page.url), to_password.headers["location"]))
        return browser.submit(page, password=PASSWORD)

    def sign_out(self, browser: Browser) -> httpx.Response:
        return browser.get("/logout")

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        return browser.submit(page, answer="accept")

    def lock_out(self, person: str) -> None:
        user = Backend.instance.get(models.User, user_name=person)
        user.lock_date = datetime.now(UTC)
        Backend.instance.save(user)

    def knows_client(self, client_id: str) -> bool:
        return query_client(client_id) is not None

    def keys(self) -> list[dict[str, Any]]:
        return list(server_jwks().as_dict(private=False)["keys"])


class CanailleSql(Canaille):
    """Its tables and ours are in one database."""

    def __init__(self) -> None:
        super().__init__("sql")

    def rows(self, database_url: str) -> Rows:
        return rows_of(database_url)

    def tables(self) -> MetaData:
        from canaille.backends.sql.backend import Base

        return Base.metadata


class CanailleMemory(Canaille):
    """Its people and clients are in the process; our tables have the database to themselves."""

    lacks = {"tables": "all that it knows is in memory"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__("memory")

    def rows(self, database_url: str) -> Rows:
        kinds = Backend.instance.indexes or {}
        return {kind: sorted(map(repr, states.values())) for kind, states in kinds.items()}

    def tables(self) -> MetaData:
        raise NotImplementedError(self.lacks["tables"])


def _client(client_id: str) -> Any:
    client = models.Client(
        client_id=client_id,
        client_name=client_id,
        client_secret=SECRET,
        client_id_issued_at=datetime.now(UTC),
        redirect_uris=[CALLBACK],
        grant_types=GRANTS,
        response_types=["code"],
        scope=["openid", "profile", "reports"],
        token_endpoint_auth_method="client_secret_basic",
        # Its access tokens are JWTs of a second's resolution, each of which is stored but once:
        # two alike would be its own 500. With PSS no two signatures are alike.
        id_token_signed_response_alg="PS256",
    )
    Backend.instance.save(client)
    return client
