"""A host that protects all its forms (Flask-WTF's `CSRFProtect`) goes on doing so.

Programs that post to our endpoints have no session and no token; people's forms have both,
the host's and ours. It does not matter which of the two was added to the app first.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_wtf import CSRFProtect

from deputize.settings import Settings
from hosts.flask_hosts import AuthlibServer
from hosts.served import Site, running_site
from support import agents_http
from support.world import CALENDAR, authorize_url, read_form


class Protected(AuthlibServer):
    """The documentation's server under a global `CSRFProtect`, which it forgot at no endpoint."""

    def __init__(self, *, first: bool) -> None:
        self.first = first

    def make_with_agents(self, settings: Settings, folder: Path) -> Flask:
        app = self.make(settings.issuer, settings.database_url, folder)
        parts = [CSRFProtect().init_app, lambda app: self.add_agents(app, settings)]
        for init_app in parts if self.first else reversed(parts):
            init_app(app)
        return app


@pytest.fixture(scope="module", params=[True, False], ids=["before", "after"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    database_url = f"sqlite:///{folder}/host.sqlite3"
    with running_site(
        Protected(first=request.param), database_url, folder, beside=False
    ) as running:
        yield running


@pytest.fixture(scope="module")
def ana(site: Site) -> Iterator[agents_http.httpx.Client]:
    """Ana's browser; the host's own sign-in form carries no token here, so its cookie is made."""
    with site.browser(None) as browser:
        signer = site.app.session_interface.get_signing_serializer(site.app)
        assert signer is not None
        cookie = signer.dumps({"id": int(site.find_person("ana").key)})
        browser.cookies.set("session", cookie, domain="127.0.0.1", path="/")
        yield browser


def test_the_hosts_forms_still_need_the_token(site: Site) -> None:
    with site.browser(None) as stranger:
        refused = stranger.post("/", data={"username": "ana"})
    assert refused.status_code == 400
    assert "CSRF" in refused.text


def test_so_do_its_endpoints_that_it_did_not_exempt(site: Site) -> None:
    """What the host's protection did to its own clients, it does still."""
    webapp = site.client()
    refused = webapp.call("/oauth/token", grant_type="client_credentials")
    assert refused.status_code == 400
    assert "CSRF" in refused.text


def test_programs_post_to_our_endpoints_without_one(
    site: Site, ana: agents_http.httpx.Client
) -> None:
    planner = site.agent("planner")
    own = planner.post("token_endpoint", grant_type="client_credentials")
    assert own.status_code == 200, own.text
    token = own.json()["access_token"]
    assert planner.introspect(token).json()["active"]
    assert planner.revoke(token).status_code == 200
    born = agents_http.register(
        site.metadata, client_name="walk-in", redirect_uris=["http://127.0.0.1/callback"],
        jwks=agents_http.jwks(agents_http.new_key()),
    )  # fmt: skip
    assert born.status_code == 201, born.text
    assert site.api().introspect(token).status_code == 200


def consent_form(site: Site, ana: agents_http.httpx.Client) -> dict[str, list[str]]:
    asked = authorize_url(site.metadata, "planner", agents_http.pkce()[1])
    page = ana.get(asked)
    assert page.status_code == 200, page.text
    return read_form(page.text) | {"decision": ["allow"]}


def test_our_consent_needs_the_token(site: Site, ana: agents_http.httpx.Client) -> None:
    for token in (None, [""], ["forged"]):
        form = consent_form(site, ana)
        form.pop("csrf_token")
        form |= {} if token is None else {"csrf_token": token}
        refused = ana.post(form.pop("action")[0], data=form)
        assert refused.status_code == 400, refused.headers
        assert "location" not in refused.headers


def test_our_consent_works_with_it(site: Site, ana: agents_http.httpx.Client) -> None:
    form = consent_form(site, ana)
    allowed = ana.post(form.pop("action")[0], data=form)
    assert allowed.status_code == 303, allowed.text
    assert "code=" in allowed.headers["location"]


def test_stopping_an_agent_needs_it_too(site: Site, ana: agents_http.httpx.Client) -> None:
    verifier, challenge = agents_http.pkce()
    form = read_form(ana.get(authorize_url(site.metadata, "planner", challenge)).text)
    location = ana.post(form.pop("action")[0], data=form | {"decision": "allow"})
    code = agents_http.httpx.URL(location.headers["location"]).params["code"]
    planner = site.agent("planner")
    hold = planner.post(
        "token_endpoint", grant_type="authorization_code", code=code, code_verifier=verifier,
        redirect_uri="http://127.0.0.1/callback",
    ).json()["access_token"]  # fmt: skip
    delegation_id = agents_http.decode(hold)[1]["delegation_id"]
    end = f"/deputize/agents/{delegation_id}/end"
    held = planner.exchange(hold, resource=CALENDAR).json()["access_token"]

    assert ana.post(end, data={"csrf_token": "forged"}).status_code in (303, 400)
    assert site.is_active(held)
    sure = read_form(ana.get(end).text)
    assert ana.post(sure.pop("action")[0], data=sure).status_code == 303
    assert not site.is_active(held)
