"""What browsers are told: they alone can read it, and it says little."""

import json
from dataclasses import replace

import pytest

from deputize.core.sealed import Box
from deputize.core.secrets import new_id
from deputize.core.vapid import public_key
from deputize.outbox.delivery import NotDelivered
from deputize.web_push.application_server import ApplicationServer
from deputize.web_push.models import Browser
from deputize.web_push.send import PADDED, Told, tell
from support.push_service import PushBrowser, PushService, application_server
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


@pytest.fixture
def server(world: World) -> ApplicationServer:
    return application_server(world.context)


def now(world: World) -> int:
    with world.context.db.read() as tx:
        return tx.now


def told(lasts: int = 100) -> Told:
    return Told(new_id(), "approval", *WORDS, lasts)


class TestWhatArrives:
    def test_the_browser_reads_it_and_nobody_else(
        self, server: ApplicationServer, service: PushService, phone: PushBrowser, mine: Browser
    ) -> None:
        tell(server, mine.person_id, told())
        (arrived,) = service.to(phone)
        said = phone.read(arrived.body)
        assert json.loads(said) == {"title": WORDS[0], "text": WORDS[1]}
        assert b"agent" not in arrived.body

    def test_its_length_says_nothing_of_what_it_says(self) -> None:
        assert len(told().encode()) == PADDED
        assert len(Told("", "", "", "", 0).encode()) == PADDED

    def test_rfc_8292_section_2_it_says_who_sends(
        self,
        world: World,
        server: ApplicationServer,
        service: PushService,
        phone: PushBrowser,
        mine: Browser,
        ana: Visit,
    ) -> None:
        tell(server, mine.person_id, told())
        (arrived,) = service.to(phone)
        _, claims, key = arrived.token(service.url)
        assert claims["sub"] == CONTACT
        assert now(world) < claims["exp"] <= now(world) + 86_400
        ours = public_key(server.key())
        assert key == ours
        assert f'data-key="{ours}"' in ana.page()

    def test_every_browser_of_the_person_and_of_nobody_else(
        self, server: ApplicationServer, service: PushService, ana: Visit, ben: Visit, mine: Browser
    ) -> None:
        ana.add(service.browser("desk"), "My desk")
        ben.add(service.browser("bens"))
        tell(server, mine.person_id, told())
        assert sorted(one.path for one in service.arrived) == ["/push/desk", "/push/phone"]

    def test_the_person_sees_when_it_was_last_told(
        self, server: ApplicationServer, ana: Visit, mine: Browser
    ) -> None:
        tell(server, mine.person_id, told())
        assert "last told" in ana.page()

    def test_without_any_nobody_is_told(
        self, server: ApplicationServer, service: PushService
    ) -> None:
        tell(server, "nobody", told())
        assert service.arrived == []


class TestWhatDoesNotArrive:
    @pytest.mark.parametrize("status", [404, 410])
    def test_rfc_8030_section_7_3_a_subscription_that_is_no_more_is_forgotten(
        self,
        world: World,
        server: ApplicationServer,
        ana: Visit,
        service: PushService,
        phone: PushBrowser,
        mine: Browser,
        status: int,
    ) -> None:
        service.answer(phone, status)
        with pytest.raises(NotDelivered, match=f"^HTTP {status}$"):
            tell(server, mine.person_id, told())
        assert ana.browsers() == []
        (event,) = world.events("browser.removed")
        assert event["facts"]["why"] == "gone"

    @pytest.mark.parametrize("status", [307, 400, 403, 413, 429, 500, 503])
    def test_whatever_else_is_tried_again(
        self,
        server: ApplicationServer,
        ana: Visit,
        service: PushService,
        phone: PushBrowser,
        mine: Browser,
        status: int,
    ) -> None:
        service.answer(phone, status)
        with pytest.raises(NotDelivered, match=f"^HTTP {status}$"):
            tell(server, mine.person_id, told())
        (still,) = ana.browsers()
        assert still.last_sent_at is None

    def test_the_same_again_goes_to_those_that_it_has_not_arrived_at(
        self,
        server: ApplicationServer,
        service: PushService,
        ana: Visit,
        phone: PushBrowser,
        mine: Browser,
    ) -> None:
        desk, same = service.browser("desk"), told()
        ana.add(desk)
        service.answer(desk, 503)
        with pytest.raises(NotDelivered, match=r"^HTTP 503$"):
            tell(server, mine.person_id, same)
        service.answer(desk, 201)
        tell(server, mine.person_id, same)
        tell(server, mine.person_id, same)
        assert len(service.to(phone)) == 1
        assert len(service.to(desk)) == 2

    def test_nobody_there_and_where_is_not_said(
        self, server: ApplicationServer, ana: Visit, service: PushService
    ) -> None:
        ana.add(PushBrowser("http://127.0.0.1:9/a-secret-place"))
        ana.add(service.browser("desk"))
        with pytest.raises(NotDelivered) as failure:
            tell(server, ana.browsers()[0].person_id, told())
        assert "a-secret-place" not in str(failure.value)
        assert len(service.arrived) == 1

    def test_a_push_service_that_is_allowed_no_more_is_not_asked(
        self, server: ApplicationServer, service: PushService, phone: PushBrowser, mine: Browser
    ) -> None:
        stricter = server.settings.model_copy(update={"private_hosts": ()})
        with pytest.raises(NotDelivered, match="not allowed"):
            tell(replace(server, settings=stricter), mine.person_id, told())
        assert service.to(phone) == []


def test_what_is_stored_opens_with_the_secret_alone(
    server: ApplicationServer, phone: PushBrowser, mine: Browser
) -> None:
    """As the signing keys: encrypted where there is a `key_secret`."""
    box = Box("a secret of some length", "browsers")
    sealed = mine.open(server.box).seal(box)
    assert phone.endpoint not in sealed
    assert replace(mine, sealed=sealed).open(box).endpoint == phone.endpoint
