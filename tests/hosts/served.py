"""A host with agents on it, beside the same host without.

Deputize's tables are in the host's own database. The other server is what it was before
Deputize, so that a check can ask whether a client of the host notices.
"""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from deputize.catalogue.models import ResourceServer
from deputize.core.secrets import digest
from deputize.endings.edit_catalogue import declare_scope, declare_server
from deputize.host import Person
from deputize.settings import Audit, Outbox, Settings
from hosts.apart import make_plain, serving_apart
from hosts.hosting import Hosting, Rows
from hosts.hostings import HOSTINGS
from idp.browser import SECRET, Application, Browser
from support import agents_http
from support.serving import serving
from support.world import CALENDAR, FLIGHTS, PAY, SCOPES, World
from support.world import SECRET as AGENT_SECRET


class Client(Application):
    """A client of the host's own, at one of its two servers."""

    def __init__(self, url: str, hosting: Hosting, client_id: str = "webapp") -> None:
        super().__init__(url, client_id, SECRET)
        self.hosting = hosting

    def request_parameters(self, **changes: Any) -> dict[str, str]:
        usual = {"scope": self.hosting.scope, "nonce": secrets.token_urlsafe(24)}
        return super().request_parameters(**usual | changes)

    def authorize(self, browser: Browser, **changes: Any) -> httpx.Response:
        """Return the answer to a browser that is signed in and says yes."""
        url = f"{self.base_url}/oauth/authorize".replace("//oauth", "/oauth")
        answer = browser.get(url, params=self.request_parameters(**changes))
        return self.hosting.allow(browser, answer) if answer.status_code == 200 else answer

    def code(self, browser: Browser, **changes: Any) -> str:
        answer = self.authorize(browser, **changes)
        return str(httpx.URL(answer.headers["location"]).params["code"])

    def own(self) -> dict[str, Any]:
        """Return a token of the client's own."""
        answer = self.call("/oauth/token", grant_type="client_credentials", scope="reports")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@dataclass
class Site(World):
    """A host with agents on it, beside the same host without."""

    hosting: Hosting = HOSTINGS[0]
    plain: str = ""
    app: Flask = field(default_factory=lambda: Flask("none"))
    _browsers: dict[tuple[str, str], Browser] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Client] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.hosting.name

    def client(self, client_id: str = "webapp", *, plain: bool = False) -> Client:
        """Return a client of the host's own; one for each server."""
        url = self.plain if plain else self.url
        if (url, client_id) not in self._clients:
            self._clients[url, client_id] = Client(url, self.hosting, client_id)
        return self._clients[url, client_id]

    def browser(self, person: str | None = "ana", *, plain: bool = False) -> Browser:
        """Return a browser, signed in by the host's own page; one for each person."""
        url = self.plain if plain else self.url
        if person is None:
            return Browser(url)
        if (url, person) not in self._browsers:
            browser = self._browsers[url, person] = Browser(url)
            page = browser.get(self.hosting.sign_in_page)
            signed_in = self.hosting.sign_in(browser, person, page)
            assert signed_in.status_code in (302, 303), signed_in.text
        return self._browsers[url, person]

    def find_person(self, username: str) -> Person:
        """Return a person as the host tells the plugin of them."""
        with self.app.app_context():
            found = self.context.host.find_person_by_name(username)
        assert found is not None
        return found

    def host_rows(self) -> Rows:
        """Return all that the host stores, which is nothing of ours."""
        url = self.context.db.url.render_as_string(hide_password=False)
        with self.app.app_context():
            return self.hosting.rows(url)

    def close(self) -> None:
        for client in (*self._browsers.values(), *self._clients.values()):
            client.close()
        self.context.db.close()


@contextmanager
def running_site(
    hosting: Hosting, database_url: str, folder: Path, *, beside: bool = True
) -> Iterator[Site]:
    """Serve `hosting` with agents on `database_url`, and `beside` it without, on another."""
    clock_file = folder / "clock"
    clock_file.write_text("0")
    agents_http.clock_offset = 0
    apps: list[Flask] = []

    def with_agents(url: str) -> Flask:
        settings = Settings(
            issuer=url,
            database_url=database_url,
            clock_file=str(clock_file),
            test_mode=True,
            outbox=Outbox(in_workers=False),
            audit=Audit(in_workers=False),
        )
        app = hosting.make_with_agents(settings, folder / "with")
        with app.app_context():
            hosting.populate()
        apps.append(app)
        return app

    with ExitStack() as stack:
        plain = stack.enter_context(_serving_plain(hosting, folder)) if beside else ""
        url = stack.enter_context(serving(with_agents))
        context = apps[0].extensions["deputize"].context
        host: Any = context.host
        site = Site(url, context, host, clock_file, hosting=hosting, plain=plain, app=apps[0])
        site.metadata = agents_http.discover(context.issuer)
        _furnish(site)
        yield site
        site.close()


def _serving_plain(hosting: Hosting, folder: Path) -> AbstractContextManager[str]:
    if hosting.is_alone:
        return serving_apart(hosting, folder)
    return serving(lambda url: make_plain(hosting, url, folder))


def _furnish(site: Site) -> None:
    for identifier, name in ((CALENDAR, "calendar"), (FLIGHTS, "flights"), (PAY, "pay")):
        served = ResourceServer(identifier, name, f"{name}-api", digest(AGENT_SECRET))
        declare_server(site.context.db, served)
    for declared in SCOPES:
        declare_scope(site.context.db, declared)
    owner = site.find_person("ben").key
    for client_id in ("planner", "booker", "checker", "mallory"):
        site.register(client_id, owner=owner)
    by_secret = {"token_endpoint_auth_method": "client_secret_basic", "jwks": None}
    site.register("clerk", owner=owner, secret_digest=digest(AGENT_SECRET), **by_secret)
    site.register("gadget", owner=owner, **by_secret | {"token_endpoint_auth_method": "none"})
