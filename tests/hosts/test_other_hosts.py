"""Hosts that do what other teams' servers do: JWTs of RFC 9068, compressed answers, a field
of another name for the CSRF token, a path that all is mounted below.

Each is a few lines over the documentation's server, and one thing that could go wrong.
"""

import gzip
import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer as FlaskServer
from authlib.oauth2.rfc6749 import ClientCredentialsGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator, JWTIntrospectionEndpoint
from examples.authlib_server.models import OAuth2Client
from examples.authlib_server.oauth2 import IntrospectionEndpoint, query_client
from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from joserfc.jwk import KeySet, RSAKey
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from deputize.host import Paths
from deputize.settings import Settings
from hosts.flask_hosts import AuthlibServer
from hosts.served import running_site
from idp.browser import Browser
from support import agents_http
from support.agents_http import http
from support.world import CALENDAR, authorize_url, read_form, running_world

pytestmark = pytest.mark.sqlite_only

RSA = RSAKey.generate_key(2048, {"kid": "the-hosts", "use": "sig", "alg": "RS256"})


# -- a host whose own access tokens are JWTs of the same type as ours -----------------


class Jwts(AuthlibServer):
    """Signs its access tokens (RFC 9068) and introspects them, as Authlib's guide shows."""

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        app = super().make(url, database_url, folder)
        server = FlaskServer(app, query_client=query_client, save_token=lambda *_: None)
        server.register_token_generator("default", Generator(url))
        server.register_grant(ClientCredentialsGrant)
        server.register_endpoint(Introspection(url))
        server.register_endpoint(IntrospectionEndpoint)  # of all that is none of its JWTs
        views = app.view_functions
        views["home.issue_token"] = server.create_token_response
        views["home.introspect_token"] = lambda: server.create_endpoint_response("introspection")
        return app


class Generator(JWTBearerTokenGenerator):
    def get_jwks(self) -> KeySet:
        return KeySet([RSA])

    def get_audiences(self, client: OAuth2Client, user: Any, scope: str) -> str:
        return "https://files.example"


class Introspection(JWTIntrospectionEndpoint):
    def get_jwks(self) -> KeySet:
        return KeySet([RSA])

    def check_permission(self, token: Any, client: OAuth2Client, request: Any) -> bool:
        return True

    def get_username(self, user_id: str) -> str:
        return ""


def test_a_host_with_jwts_of_its_own(tmp_path: Path) -> None:
    """Both kinds are `at+jwt`: whose a token is, its key tells."""
    with running_site(Jwts(), f"sqlite:///{tmp_path}/host.db", tmp_path) as site:
        webapp = site.client()
        before = site.client(plain=True)
        for client in (before, webapp):
            token = client.own()["access_token"]
            told = client.call("/oauth/introspect", token=token).json()
            assert told["active"] is True, client.base_url
            assert told["client_id"] == "webapp"
        ours = site.agent("planner").exchange(site.hold(), resource=CALENDAR).json()
        answer = webapp.call("/oauth/introspect", token=ours["access_token"])
        assert answer.json() == {"active": False}
        for caller in (site.api(), site.agent("planner")):
            assert caller.introspect(token).json() == {"active": False}


# -- a host that compresses what it answers ----------------------------------------------


class Compressed(AuthlibServer):
    """Compresses whatever the client takes, as Flask-Compress does."""

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        app = super().make(url, database_url, folder)

        @app.after_request
        def compress(response: Response) -> Response:
            if "gzip" in request.headers.get("Accept-Encoding", ""):
                response.set_data(gzip.compress(response.get_data()))
                response.headers["Content-Encoding"] = "gzip"
            return response

        return app


def test_a_host_that_compresses(tmp_path: Path) -> None:
    """What we put in the place of its answer can be read."""
    with running_site(
        Compressed(), f"sqlite:///{tmp_path}/host.db", tmp_path, beside=False
    ) as site:
        token = site.hold()
        api = site.client("api")
        for hint in ({}, {"token_type_hint": "junk"}):
            answer = api.call("/oauth/introspect", token=token, **hint)
            assert (answer.status_code, answer.json()) == (200, {"active": False})


# -- a host that names the CSRF token in a way of its own -------------------------------


class NamedOtherwise(AuthlibServer):
    """Protects its forms with a field of another name (Flask-WTF's WTF_CSRF_FIELD_NAME)."""

    def make_with_agents(self, settings: Settings, folder: Path) -> Flask:
        app = super().make_with_agents(settings, folder)
        app.config["WTF_CSRF_FIELD_NAME"] = "protection"
        protect = CSRFProtect(app)
        protect.exempt(app.blueprints["home"])
        return app


def test_a_host_that_names_the_csrf_token_otherwise(tmp_path: Path) -> None:
    """Our pages can be pressed there, too."""
    with running_site(
        NamedOtherwise(), f"sqlite:///{tmp_path}/host.db", tmp_path, beside=False
    ) as site:
        held = site.agent("planner").exchange(site.hold(), resource=CALENDAR).json()
        ana = site.browser()
        pages = ana.get("/deputize/agents").text
        (stop,) = re.findall(r'href="/deputize/agents/([^"]+/end)"', pages)
        sure = read_form(ana.get(f"/deputize/agents/{stop}").text)
        assert ana.post(sure.pop("action")[0], data=sure).status_code == 303
        assert not site.is_active(held["access_token"])


# -- a host with a registration of its own ----------------------------------------------


def test_a_host_with_its_own_registration_keeps_it(tmp_path: Path) -> None:
    """Who asks to be an agent is ours; every other client is the host's."""
    paths = Paths(registration="/clients")
    with running_world(f"sqlite:///{tmp_path}/a.db", tmp_path, paths=paths) as running:
        endpoint = f"{running.url}/clients"
        assert running.metadata["registration_endpoint"] == endpoint
        theirs = http.post(endpoint, json={"client_name": "a web app"})
        assert theirs.json() == {"by": "the host"}
        ours = http.post(endpoint, json={"client_type": "agent"})
        assert ours.json()["error"] == "invalid_client_metadata"  # it has no keys
        spawned = http.post(endpoint, json={}, headers={"Authorization": "Bearer dspw_unknown"})
        assert spawned.json()["error"] in ("invalid_token", "invalid_client_metadata")


# -- a host below a path ------------------------------------------------------------------


class Mounted(AuthlibServer):
    """The whole server stands below /auth of another one, and its issuer says so."""

    def make_with_agents(self, settings: Settings, folder: Path) -> Flask:
        below = settings.model_copy(update={"issuer": f"{settings.issuer}/auth"})
        app = super().make_with_agents(below, folder)
        app.wsgi_app = DispatcherMiddleware(NotFound(), {"/auth": app.wsgi_app})  # type: ignore[method-assign]
        return app


def test_a_host_below_a_path(tmp_path: Path) -> None:
    """Each link, form and redirect of ours stays below it."""
    with running_site(Mounted(), f"sqlite:///{tmp_path}/host.db", tmp_path, beside=False) as site:
        verifier, challenge = agents_http.pkce()
        with Browser(site.url) as ana:
            to_sign_in = ana.get(authorize_url(site.metadata, "planner", challenge))
            page = ana.get(to_sign_in.headers["location"])
            signed_in = site.hosting.sign_in(ana, "ana", page)
            consent = ana.get(signed_in.headers["location"])
            form = read_form(consent.text) | {"decision": ["allow"]}
            answer = ana.post(form.pop("action")[0], data=form)
            code = httpx.URL(answer.headers["location"]).params["code"]
            redeemed = site.agent("planner").post(
                "token_endpoint", grant_type="authorization_code", code=code,
                code_verifier=verifier, redirect_uri="http://127.0.0.1/callback",
            )  # fmt: skip
            assert redeemed.status_code == 200, redeemed.text
            agents = ana.get(site.metadata["agents_page"])
            found = re.findall(r'(?:href|action)="(/[^"]*)"', agents.text + consent.text)
            links = [unescape(link) for link in found]
            assert links
            assert all(link.startswith("/auth/") for link in links), links
            # Some pages take a sign-in of a moment ago.
            told = {link: ana.get(link) for link in links}
            assert {answer.status_code for answer in told.values()} <= {200, 302, 303, 403, 405}, (
                told
            )
            onward = [a.headers["location"] for a in told.values() if "location" in a.headers]
            assert all(httpx.URL(url).path.startswith("/auth/") for url in onward), onward
