"""One identity provider per module, over real HTTP, with its people and clients."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask

from deputize_idp import Settings, create_app, declare_client, declare_person
from idp.browser import CALLBACK, PASSWORD, SECRET, SIGNED_OUT, Application, Browser
from support.serving import serving


@dataclass
class Clock:
    """The real time, and what was added to it."""

    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Idp:
    """The running identity provider, seen from outside (`url`) and by its operator (`app`)."""

    data: Path
    url: str = ""
    clock: Clock = field(default_factory=Clock)
    app: Flask = field(default_factory=lambda: Flask("none"))

    def settings(self, url: str) -> Settings:
        return Settings(issuer=url, data=self.data, sign_in_attempts=5)

    def start(self, url: str) -> Flask:
        self.url = url
        self.app = create_app(self.settings(url), clock=self.clock)
        with self.app.app_context():
            declare_everybody()
        return self.app


def declare_everybody() -> None:
    """Two people, a web application, a public one, a service and a job."""
    scopes = ["openid", "profile", "email", "groups", "reports"]
    declare_person(
        "ana", name="Ana Ruiz", email="ana@example.com", password=PASSWORD, groups=["finance"]
    )
    declare_person("ben", name="Ben Ode", password=PASSWORD)
    declare_client(
        "webapp",
        name="Web App",
        redirect_uris=[CALLBACK],
        post_logout_redirect_uris=[SIGNED_OUT],
        client_secret=SECRET,
        scopes=scopes,
    )
    declare_client("other", redirect_uris=[CALLBACK], client_secret=SECRET, scopes=scopes)
    declare_client(
        "desktop",
        redirect_uris=[CALLBACK, "com.example.desktop:/callback"],
        token_endpoint_auth_method="none",
        scopes=scopes,
    )
    declare_client("api", client_secret=SECRET, may_introspect=True)
    declare_client("job", client_secret=SECRET, scopes=["openid", "reports", "reports:write"])


@pytest.fixture(scope="session")
def has_tables() -> bool:
    """Each server makes the tables that it needs, as at its first start."""
    return False


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    provider = Idp(tmp_path_factory.mktemp("idp"))
    with serving(provider.start):
        yield provider


@pytest.fixture(scope="module")
def ana(idp: Idp) -> Iterator[Browser]:
    """Ana's browser, signed in."""
    with Browser(idp.url) as browser:
        assert browser.sign_in().status_code == 303
        yield browser


@pytest.fixture
def stranger(idp: Idp) -> Iterator[Browser]:
    """A browser that nobody is signed in with."""
    with Browser(idp.url) as browser:
        yield browser


@pytest.fixture
def webapp(idp: Idp) -> Iterator[Application]:
    with Application(idp.url) as application:
        yield application


@pytest.fixture
def other(idp: Idp) -> Iterator[Application]:
    with Application(idp.url, "other") as application:
        yield application


@pytest.fixture
def desktop(idp: Idp) -> Iterator[Application]:
    with Application(idp.url, "desktop", secret=None) as application:
        yield application


@pytest.fixture
def api(idp: Idp) -> Iterator[Application]:
    with Application(idp.url, "api") as application:
        yield application


@pytest.fixture
def job(idp: Idp) -> Iterator[Application]:
    with Application(idp.url, "job") as application:
        yield application
