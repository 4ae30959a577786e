"""What a browser is told, through its push service: only it can read it, and it says little."""

import json
from dataclasses import replace

import pytest

from deputize.core.vapid import public_key
from deputize.delegation.keys import KeyStore
from deputize.outbox.delivery import NotDelivered
from deputize.web_push.models import Browser
from deputize.web_push.send import PADDED, Told, send
from deputize.web_push.server_key import server_key
from support.push_service import PushBrowser, PushService
from support.world import World
from web_push.conftest import CONTACT, Visit

WORDS = ("An agent waits for your word", "Your inbox says what it asks.")


@pytest.fixture
def phone(ana: Visit, service: PushService) -> PushBrowser:
    phone = service.browser("phone")
    ana.add(phone)
    return phone


@pytest.fixture
def mine(ana: Visit, phone: PushBrowser) -> Browser:
    (mine,) = ana.browsers()
    return mine


def now(world: World) -> int:
    with world.context.db.read() as tx:
        return tx.now


def told(world: World, lasts: int = 100) -> Told:
    return Told(*WORDS, expires_at=now(world) + lasts)


class TestWhatArrives:
    def test_the_browser_reads_it_and_nobody_else(
        self, world: World, service: PushService, phone: PushBrowser, mine: Browser
    ) -> None:
        assert send(world.context, mine, told(world)) == "told"
        (arrived,) = service.to(phone)
        said = phone.read(arrived.body)
        assert json.loads(said) == {"title": WORDS[0], "text": WORDS[1]}
        assert b"agent" not in arrived.body

    def test_its_length_says_nothing_of_what_it_says(self, world: World) -> None:
        assert len(told(world).encode()) == PADDED
        assert len(Told("", "", 0).encode()) == PADDED

    def test_rfc_8030_section_5_the_headers(
        self, world: World, service: PushService, phone: PushBrowser, mine: Browser
    ) -> None:
        send(world.context, mine, told(world, lasts=100))
        (arrived,) = service.to(phone)
        assert 95 <= int(arrived.headers["Ttl"]) <= 100
        assert arrived.headers["Urgency"] == "high"
        assert len(arrived.headers["Topic"]) <= 32
        assert arrived.headers["Content-Encoding"] == "aes128gcm"

    def test_rfc_8292_section_2_it_says_who_sends(
        self, world: World, service: PushService, phone: PushBrowser, mine: Browser, ana: Visit
    ) -> None:
        send(world.context, mine, told(world))
        (arrived,) = service.to(phone)
        _, claims, key = arrived.token(service.url)
        assert claims["sub"] == CONTACT
        assert now(world) < claims["exp"] <= now(world) + 86_400
        ours = public_key(server_key(world.context.db, world.context.key_store))
        assert key == ours
        assert f'data-key="{ours}"' in ana.page()

    def test_the_person_sees_when_it_was_last_told(
        self, world: World, ana: Visit, mine: Browser
    ) -> None:
        send(world.context, mine, told(world))
        assert "last told" in ana.page()


class TestWhatDoesNotArrive:
    @pytest.mark.parametrize("status", [404, 410])
    def test_rfc_8030_section_7_3_a_subscription_that_is_no_more_is_forgotten(
        self,
        world: World,
        ana: Visit,
        service: PushService,
        phone: PushBrowser,
        mine: Browser,
        status: int,
    ) -> None:
        service.answer(phone, status)
        assert send(world.context, mine, told(world)).startswith("gone")
        assert ana.browsers() == []
        (event,) = world.events("browser.removed")
        assert event["facts"]["why"] == "gone"

    @pytest.mark.parametrize("status", [307, 400, 403, 413, 429, 500, 503])
    def test_whatever_else_is_tried_again(
        self,
        world: World,
        ana: Visit,
        service: PushService,
        phone: PushBrowser,
        mine: Browser,
        status: int,
    ) -> None:
        service.answer(phone, status)
        with pytest.raises(NotDelivered, match=f"^HTTP {status}$"):
            send(world.context, mine, told(world))
        (still,) = ana.browsers()
        assert still.last_sent_at is None

    def test_nobody_there_and_where_is_not_said(self, world: World, ana: Visit) -> None:
        ana.add(PushBrowser("http://127.0.0.1:9/a-secret-place"))
        with pytest.raises(NotDelivered) as failure:
            send(world.context, ana.browsers()[-1], told(world))
        assert "a-secret-place" not in str(failure.value)

    def test_a_push_service_that_is_allowed_no_more_is_not_asked(
        self, world: World, service: PushService, phone: PushBrowser, mine: Browser
    ) -> None:
        stricter = world.context.settings.web_push.model_copy(update={"private_hosts": ()})
        settings = world.context.settings.model_copy(update={"web_push": stricter})
        with pytest.raises(NotDelivered, match="not allowed"):
            send(replace(world.context, settings=settings), mine, told(world))
        assert service.to(phone) == []


def test_what_is_stored_opens_with_the_secret_alone(
    world: World, phone: PushBrowser, mine: Browser
) -> None:
    """As the signing keys: encrypted where there is a `key_secret`."""
    store = KeyStore(world.url, "a secret of some length")
    sealed = mine.open(world.context.key_store).seal(store)
    assert phone.endpoint not in sealed
    assert replace(mine, sealed=sealed).open(store).endpoint == phone.endpoint
