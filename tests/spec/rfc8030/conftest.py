"""A server that tells people in their browsers, a push service, and one subscribed browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deputize.settings import Notify, WebPush
from support.asking import Asking
from support.push_service import PushBrowser, PushService, running_push_service
from support.world import World, running_world

PAGE = "/deputize/browsers"


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    with running_push_service() as service:
        yield service


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    own = WebPush(contact="mailto:ops@example.com", private_hosts=("127.0.0.1",))
    settings = Notify(channels=("web_push",), web_push=own)
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, notify=settings) as running:
        yield running


@dataclass
class Subscribed:
    """Somebody with one browser that tells them, and an agent that asks for their word."""

    asking: Asking
    service: PushService
    browser: PushBrowser

    def ask(self) -> int:
        """Let the agent ask, and send what is due; return the seconds left to answer."""
        self.asking.asked()
        self.deliver()
        (card,) = self.asking.cards()
        return card.expires_at - card.created_at

    def deliver(self) -> None:
        self.asking.world.app.extensions["deputize"].deliverer().deliver_due()

    def page(self) -> str:
        """Return the page of their browsers."""
        return self.asking.world.browser(self.asking.person).get(PAGE).text


@pytest.fixture
def subscribed(asking: Asking, service: PushService) -> Subscribed:
    browser = service.browser(asking.person)
    visitor = asking.world.browser(asking.person)
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get(PAGE).text)
    assert token
    form = {"csrf_token": token[1], "subscription": browser.subscription(), "name": "My phone"}
    assert visitor.post(PAGE, data=form).status_code == 303
    return Subscribed(asking, service, browser)
