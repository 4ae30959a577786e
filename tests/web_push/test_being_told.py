"""An agent asks, and the person's browsers say so: as by any other channel, and less."""

import json

import pytest
from sqlalchemy import delete

from deputize.approvals.notifiers.web_push import WebPush
from deputize.cli import deputize
from deputize.host import Person
from deputize.outbox.channel import WrongSetting
from deputize.outbox.models import outbox
from deputize.settings import WebPush as Section
from support.asking import Asking
from support.push_service import PushBrowser, PushService
from support.world import World
from web_push.conftest import Visit, visit

NOTIFICATIONS = "/deputize/notifications"
WAITS = {"title": "An agent waits for your word", "text": "Sign in to see what it asks."}


@pytest.fixture
def asking(world: World) -> Asking:
    """Planner with a hold of somebody's whom nobody has asked anything yet."""
    with world.context.db.write() as tx:
        tx.execute(delete(outbox))
    person = f"person-{len(world.host.people)}"
    world.host.people[person] = Person(person, person.title())
    return Asking(world, world.agent("planner"), world.hold("planner", person), person)


@pytest.fixture
def them(asking: Asking) -> Visit:
    return visit(asking.world, asking.person)


@pytest.fixture
def phone(them: Visit, service: PushService) -> PushBrowser:
    phone = service.browser("phone")
    them.add(phone)
    return phone


def deliver(world: World) -> list[str]:
    """Send what is due; return what came of it."""
    world.app.extensions["deputize"].deliverer().deliver_due()
    told = world.events("outbox.delivered") + world.events("outbox.given_up")
    return [event["facts"]["outcome"] for event in told]


class TestAQuestion:
    def test_is_told_in_the_persons_browser_and_says_neither_who_nor_what(
        self, asking: Asking, service: PushService, phone: PushBrowser
    ) -> None:
        asking.asked(binding_message="a word of its own")
        assert deliver(asking.world) == ["sent"]
        (arrived,) = service.to(phone)
        assert json.loads(phone.read(arrived.body)) == WAITS
        (card,) = asking.cards()
        assert 0 < int(arrived.headers["Ttl"]) <= card.expires_at - card.created_at

    def test_that_was_decided_is_not_told(
        self, asking: Asking, service: PushService, phone: PushBrowser
    ) -> None:
        asking.asked()
        asking.say_no()
        assert deliver(asking.world) == ["over"]
        assert service.to(phone) == []

    def test_is_told_again_where_the_push_service_asks_for_a_pause(
        self, asking: Asking, service: PushService, phone: PushBrowser
    ) -> None:
        service.answer(phone, 429)
        asking.asked()
        assert deliver(asking.world) == []
        service.answer(phone, 201)
        asking.world.pass_time(5)
        assert deliver(asking.world) == ["sent"]
        assert len(service.to(phone)) == 2

    def test_finds_no_browser_where_the_last_one_is_gone(
        self, asking: Asking, service: PushService, phone: PushBrowser, them: Visit
    ) -> None:
        service.answer(phone, 410)
        asking.asked()
        deliver(asking.world)
        assert them.browsers() == []
        asking.world.pass_time(5)
        assert deliver(asking.world) == ["no address"]

    def test_is_not_told_where_the_person_switched_it_off(
        self, asking: Asking, service: PushService, phone: PushBrowser, them: Visit
    ) -> None:
        press(them, "off")
        asking.asked()
        assert deliver(asking.world) == []
        assert service.to(phone) == []


class TestThePageOfAllChannels:
    def test_says_how_many_browsers_and_leads_to_them(
        self, them: Visit, service: PushService
    ) -> None:
        assert "you have added none yet" in them.http.get(NOTIFICATIONS).text
        them.add(service.browser("a"))
        them.add(service.browser("b"))
        page = them.http.get(NOTIFICATIONS).text
        assert "2 browsers" in page
        assert 'href="/deputize/browsers"' in page

    def test_sends_a_test(
        self, them: Visit, asking: Asking, service: PushService, phone: PushBrowser
    ) -> None:
        press(them, "test")
        assert deliver(asking.world) == ["sent"]
        (arrived,) = service.to(phone)
        assert json.loads(phone.read(arrived.body))["title"] == "A test"

    def test_a_test_takes_the_place_of_no_question(
        self, them: Visit, asking: Asking, service: PushService, phone: PushBrowser
    ) -> None:
        asking.asked()
        press(them, "test")
        deliver(asking.world)
        assert len({one.headers["Topic"] for one in service.to(phone)}) == 2


class TestForOperators:
    def test_the_command_sends_a_test(
        self, them: Visit, asking: Asking, service: PushService, phone: PushBrowser
    ) -> None:
        run = asking.world.app.test_cli_runner()
        told = run.invoke(deputize, ["notifiers", "test", asking.person])
        assert (told.exit_code, told.output) == (0, "● web_push: 1 browser: sent\n")
        assert len(service.to(phone)) == 1

    def test_the_check_does_not_ask_the_host_for_addresses(self, asking: Asking) -> None:
        told = asking.world.app.test_cli_runner().invoke(deputize, ["check"])
        assert "web_push: 4 push services, mailto:ops@example.com" in told.output

    def test_a_contact_is_needed_where_the_channel_is_on(self) -> None:
        with pytest.raises(WrongSetting) as wrong:
            WebPush(Section())
        assert wrong.value.key == "contact"


def press(them: Visit, what: str) -> None:
    form = {"csrf_token": them.csrf(), "channel": "web_push", "press": what}
    assert them.http.post(NOTIFICATIONS, data=form).status_code == 303
