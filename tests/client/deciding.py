"""Ana decides in her inbox, on the page that her browser shows, and time passes."""

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from support.world import World, read_form

CARD = re.compile(r'<form class="card deciding" id="card-([^"]+)".*?</form>', re.DOTALL)


def inbox(world: World) -> list[str]:
    """Return the cards that wait, the oldest first."""
    return _cards(world.browser("ana"), world)


def decide(world: World, decision: str, signed_in_at: int | None = None, **typed: str) -> None:
    """Press `decision` on the newest card, as it is shown but for what is typed."""
    browser = world.browser("ana")
    if signed_in_at is not None:
        browser.get("/sign-in", params={"person": "ana", "at": signed_in_at})
    card = _cards(browser, world)[-1]
    form: dict[str, Any] = read_form(card)
    chosen = re.search(r'<option[^>]*value="(\d+)"[^>]*selected', card)
    assert chosen is not None
    sent = form | typed | {"decision": decision, "lifetime": chosen[1]}
    answer = browser.post(sent.pop("action")[0], data=sent)
    assert answer.headers.get("Location") == urlsplit(world.metadata["approvals_page"]).path


def _cards(browser: httpx.Client, world: World) -> list[str]:
    page = browser.get(world.metadata["approvals_page"])
    assert page.status_code == 200, page.text
    return [found[0] for found in CARD.finditer(page.text)]


class Waiting:
    """An agent's `sleep=`: the world's clock moves on, and something happens meanwhile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.then: dict[int, Callable[[], object]] = {}
        self.pauses: list[float] = []

    def at(self, number: int, happens: Callable[[], object]) -> None:
        """Let something happen in the pause of this number; the first is 1."""
        self.then[number] = happens

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        assert len(self.pauses) < 200, "it waits for ever"
        self.world.pass_time(math.ceil(seconds))
        self.then.get(len(self.pauses), lambda: None)()

    async def awaited(self, seconds: float) -> None:
        self(seconds)
