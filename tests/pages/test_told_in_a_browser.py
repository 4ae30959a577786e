"""Ana says that this browser tells her; what her push service gets is shown there, and leads home.

No push service of a browser's maker can be reached from here, so that `PushManager.subscribe` is
the test's: keys made by the browser, and an endpoint of a push service on this machine. All else
is the real thing: the page and its script, the worker, the message and its encryption.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, Page, expect

from deputize.approvals.notifiers.address import find_address
from deputize.core.secrets import new_id
from deputize.outbox.channel import Message
from pages.house import House
from pages.states import APPROVALS, BROWSERS, NOTIFICATIONS, Visit
from pages.test_deciding_what_agents_ask import words
from support.push_service import PushBrowser, PushService, from_b64, running_push_service

SUBSCRIBE = """endpoint => {
    const text = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
        .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
    PushManager.prototype.subscribe = async function (options) {
        const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
        const pair = await crypto.subtle.generateKey(ecdh, true, ['deriveBits'])
        const auth = crypto.getRandomValues(new Uint8Array(16))
        const { d } = await crypto.subtle.exportKey('jwk', pair.privateKey)
        const p256dh = text(await crypto.subtle.exportKey('raw', pair.publicKey))
        await kept({ d, auth: text(auth), options })
        const keys = { p256dh, auth: text(auth) }
        return { toJSON: () => ({ endpoint, expirationTime: null, keys }) }
    }
}"""
SHOWN = """async () => {
    const registration = await navigator.serviceWorker.ready
    const all = await registration.getNotifications()
    return all.map(({ title, body }) => [title, body])
}"""
OTHERS_SHOWN = f"before => ({SHOWN})().then(now => JSON.stringify(now) !== before)"
#: A click that nobody made may open no window: where it would lead is all that is asked.
CLICK = """async () => {
    const opened = []
    clients.openWindow = async url => { opened.push(url) }
    const [notification] = await registration.getNotifications()
    const click = new NotificationEvent('notificationclick', { notification })
    dispatchEvent(click)
    return opened
}"""


@dataclass
class Desk:
    """Ana's browser, and what the test knows of its subscription."""

    visit: Visit
    service: PushService
    kept: list[dict[str, Any]] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.visit.page

    @property
    def endpoint(self) -> str:
        return f"{self.service.url}/push/{self.visit.person}"

    @property
    def browser(self) -> PushBrowser:
        (kept,) = self.kept
        number = int.from_bytes(from_b64(kept["d"]), "big")
        key = ec.derive_private_key(number, ec.SECP256R1())
        return PushBrowser(self.endpoint, key, from_b64(kept["auth"]))

    def add(self, name: str = "My desk") -> None:
        self.visit.hands.fill("What do you call it?", name)
        self.visit.hands.press("Tell me in this browser")

    def deliver(self, message: bytes) -> None:
        """Hand the worker what its push service would: the message as the browser decrypted it."""
        session = self.page.context.new_cdp_session(self.page)
        found: list[str] = []
        session.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda told: found.extend(one["registrationId"] for one in told["registrations"]),
        )
        session.send("ServiceWorker.enable")
        for _ in range(100):
            if not found:
                self.page.evaluate("navigator.serviceWorker.ready.then(() => {})")
        before = self.page.evaluate(SHOWN)
        told = {"registrationId": found[-1], "data": message.decode()}
        session.send("ServiceWorker.deliverPushMessage", {"origin": self.visit.house.url} | told)
        self.page.wait_for_function(OTHERS_SHOWN, arg=json.dumps(before, separators=(",", ":")))

    def shown(self) -> list[list[str]]:
        shown: list[list[str]] = self.page.evaluate(SHOWN)
        return shown


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    with running_push_service() as service:
        yield service


@pytest.fixture
def visit(house: House, chromium: Browser, ana: str) -> Iterator[Visit]:
    with chromium.new_context(permissions=["notifications"]) as context:
        yield Visit(house, context.new_page(), ana)


@pytest.fixture
def desk(visit: Visit, service: PushService) -> Desk:
    desk = Desk(visit, service)
    visit.page.expose_function("kept", lambda kept: desk.kept.append(kept))
    visit.page.add_init_script(f"({SUBSCRIBE})({json.dumps(desk.endpoint)})")
    desk.visit.signed_in_at(NOTIFICATIONS)
    desk.visit.hands.follow("Add one of Your browsers")
    return desk


def test_what_is_sent_is_shown_there_and_leads_to_the_inbox(house: House, desk: Desk) -> None:
    desk.add()
    said = words(desk.page)
    assert "My desk added just now" in said
    assert "not told anything yet" in said
    tell(house, desk.visit.person)
    (arrived,) = desk.service.to(desk.browser)
    desk.deliver(desk.browser.read(arrived.body))
    assert desk.shown() == [["An agent waits for your word", "Sign in to see what it asks."]]
    (worker,) = desk.page.context.service_workers
    assert worker.evaluate(CLICK) == [f"{house.url}{APPROVALS}"]

    desk.page.reload()
    assert "last told just now" in words(desk.page)
    desk.visit.hands.press("Remove My desk")
    assert "No browser tells you yet." in words(desk.page)


def test_whatever_is_said_it_is_text_and_leads_nowhere_else(house: House, desk: Desk) -> None:
    desk.add()
    evil = "https://evil.example/"
    said = {"title": f"<img src={evil}>", "url": evil, "data": evil, "actions": [{"action": evil}]}
    desk.deliver(json.dumps(said).encode())
    assert desk.shown() == [[f"<img src={evil}>", ""]]
    (worker,) = desk.page.context.service_workers
    assert worker.evaluate(CLICK) == [f"{house.url}{APPROVALS}"]
    for nothing in (b"null", b"no JSON at all"):
        desk.deliver(json.dumps({"title": "An agent waits for your word", "text": "x"}).encode())
        desk.deliver(nothing)
        assert desk.shown() == [["An agent waits for your word", ""]]


def test_where_the_browser_cannot_nothing_is_changed(visit: Visit) -> None:
    """This one has no push service: as where somebody says no."""
    visit.signed_in_at(BROWSERS)
    visit.page.get_by_role("button", name="Tell me in this browser").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("Nothing was changed.")
    visit.page.reload()
    assert "No browser tells you yet." in words(visit.page)


def test_without_scripts_the_page_says_so(house: House, chromium: Browser, ana: str) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        visit = Visit(house, context.new_page(), ana)
        visit.signed_in_at(BROWSERS)
        assert "This takes JavaScript" in words(visit.page)
        visit.hands.press("Tell me in this browser")
        assert "did not say where it can be reached. Nothing was changed." in words(visit.page)


def tell(house: House, person: str) -> None:
    channel, key = house.context.channels["web_push"], house.key_of(person)
    said = Message(new_id(), "approval.requested", 0, "planner asks", "for €420", "/elsewhere", key)
    channel.send(find_address(house.context, key, "web_push"), said)
