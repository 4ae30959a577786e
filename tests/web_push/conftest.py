"""A server whose people may be told in their browsers, on each database, and a push service."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from deputize.audit.models import event
from deputize.delegation.persons import find_person_id
from deputize.settings import Notify, WebPush
from deputize.web_push.models import Browser, browser, browsers_of
from support.push_service import PushBrowser, PushService, running_push_service
from support.world import World, running_world

CONTACT = "mailto:ops@example.com"
PAGE = "/deputize/browsers"


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    with running_push_service() as service:
        yield service


@pytest.fixture(scope="module")
def running(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    own = WebPush(contact=CONTACT, private_hosts=("127.0.0.1",))
    settings = Notify(channels=("web_push",), web_push=own)
    folder = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder, notify=settings) as world:
        yield world


@pytest.fixture
def world(running: World, service: PushService) -> World:
    """The server, where nobody is told anything yet."""
    service.arrived.clear()
    service.statuses.clear()
    with running.context.db.write() as tx:
        for table in (browser, event):
            tx.execute(delete(table))
    return running


@dataclass
class Visit:
    """Somebody at a browser of theirs, on the page where they say which are told."""

    world: World
    http: httpx.Client
    person: str

    def page(self) -> str:
        answer = self.http.get(PAGE)
        assert answer.status_code == 200, answer.text
        return answer.text

    def csrf(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.page())
        assert found
        return found[1]

    def add(self, said: str | PushBrowser, name: str = "My phone", **fields: Any) -> httpx.Response:
        said = said if isinstance(said, str) else said.subscription()
        form = {"csrf_token": self.csrf(), "subscription": said, "name": name}
        return self.http.post(PAGE, data=form | fields)

    def remove(self, browser_id: str, **fields: Any) -> httpx.Response:
        form = {"csrf_token": self.csrf()} | fields
        return self.http.post(f"{PAGE}/{browser_id}/remove", data=form)

    def browsers(self) -> list[Browser]:
        with self.world.context.db.read() as tx:
            return browsers_of(tx, find_person_id(tx, self.person))

    def names(self) -> list[str]:
        return [one.name for one in self.browsers()]


def visit(world: World, person: str) -> Visit:
    return Visit(world, world.browser(person), person)


@pytest.fixture
def ana(world: World) -> Visit:
    return visit(world, "ana")


@pytest.fixture
def ben(world: World) -> Visit:
    return visit(world, "ben")
