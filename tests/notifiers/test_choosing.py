"""The page on which a person chooses how they are told: their own choices, and nobody else's."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import unescape
from typing import Any

import httpx
import pytest

from deputize.approvals.choices import Choices, find_choices
from deputize.approvals.notifiers.ask_for_test import ask_for_test
from deputize.approvals.quiet import QuietHours
from deputize.core.refusal import Refusal
from deputize.delegation.persons import find_person_id
from deputize.endings.person_left import person_left
from notifiers.conftest import deliver
from notifiers.receivers import Mailbox, Receiver
from support.asking import Asking
from support.world import World, read_form

PAGE = "/deputize/notifications"
NIGHT = {"press": "quiet", "starts": "22:00", "ends": "07:00", "zone": "Europe/Madrid"}


def seen(world: World, person: str) -> str:
    answer = world.browser(person).get(PAGE)
    assert answer.status_code == 200, answer.text
    return text_of(answer)


def text_of(answer: httpx.Response) -> str:
    shown = answer.text.partition("<main")[2].partition("<datalist")[0]
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", shown).split()))


def press(world: World, person: str, /, **fields: Any) -> httpx.Response:
    """Press as the page's own forms do."""
    browser = world.browser(person)
    form = read_form(browser.get(PAGE).text)
    return browser.post(PAGE, data={"csrf_token": form["csrf_token"][0]} | fields)


def chosen(world: World, person: str) -> Choices:
    with world.context.db.read() as tx:
        person_id = find_person_id(tx, person)
        return find_choices(tx, person_id) if person_id else Choices()


class TestThePage:
    def test_asks_who_one_is_first(self, world: World) -> None:
        answer = world.browser(None).get(PAGE)
        assert (answer.status_code, answer.headers["Location"][:8]) == (303, "/sign-in")

    def test_tells_each_channel_and_where_it_goes_but_not_to_who_looks_on(
        self, asking: Asking
    ) -> None:
        text = seen(asking.world, asking.person)
        assert "E-mail ● on goes to p…@example.com" in text
        assert asking.world.host.addresses[asking.person, "email"] not in text
        assert "Your organisation ● on goes to your organisation" in text

    def test_tells_where_no_address_is_known(self, asking: Asking) -> None:
        del asking.world.host.addresses[asking.person, "email"]
        assert "E-mail ○ off goes nowhere" in seen(asking.world, asking.person)

    def test_where_no_channel_is_on_it_says_that_nothing_is_sent(
        self, asking: Asking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("email", "webhook"):
            monkeypatch.delitem(asking.world.context.channels, name)  # type: ignore[arg-type]
        text = seen(asking.world, asking.person)
        assert "Nothing is sent from here." in text
        assert "Quiet hours" not in text

    def test_the_inbox_leads_to_it(self, asking: Asking) -> None:
        inbox = asking.world.browser(asking.person).get("/deputize/approvals")
        assert f'href="{PAGE}"' in inbox.text

    def test_a_get_changes_nothing(self, asking: Asking) -> None:
        browser = asking.world.browser(asking.person)
        browser.get(PAGE, params=NIGHT | {"channel": "email"})
        browser.get(PAGE, params={"press": "off", "channel": "email"})
        assert chosen(asking.world, asking.person) == Choices()


class TestChannels:
    def test_are_switched_off_and_on(self, asking: Asking, mail: Mailbox) -> None:
        world, person = asking.world, asking.person
        assert press(world, person, press="off", channel="email").status_code == 303
        assert "you switched it off" in seen(world, person)
        asking.asked()
        deliver(world)
        assert mail.mails == []
        press(world, person, press="off", channel="webhook")
        press(world, person, press="on", channel="email")
        assert chosen(world, person).muted == {"webhook"}
        kinds = [told["kind"] for told in world.events() if told["kind"].startswith("notify.")]
        assert sorted(kinds) == ["notify.switched_off"] * 2 + ["notify.switched_on"]

    def test_of_another_person_stay_as_they_are(self, asking: Asking) -> None:
        other = {"person": "ana", "person_id": "ana", "key": "ana"}
        press(asking.world, asking.person, press="off", channel="email", **other)
        assert chosen(asking.world, "ana") == Choices()

    @pytest.mark.parametrize(
        "fields",
        [
            {"press": "off", "channel": "pigeon"},
            {"press": "off", "channel": "\x00"},
            {"press": "off"},
            {"press": "test", "channel": "email:x"},
            {"press": "\udcff".encode("utf-8", "surrogatepass"), "channel": "email"},
            {"channel": "email"},
            {},
        ],
    )
    def test_what_is_no_press_of_the_page_changes_nothing(
        self, asking: Asking, fields: dict[str, Any]
    ) -> None:
        assert press(asking.world, asking.person, **fields).status_code == 303
        assert chosen(asking.world, asking.person) == Choices()
        assert deliver(asking.world) == 0

    def test_a_form_of_elsewhere_changes_nothing(self, asking: Asking) -> None:
        browser = asking.world.browser(asking.person)
        for token in ({}, {"csrf_token": "forged"}):
            for fields in (NIGHT, {"press": "off", "channel": "email"}):
                browser.post(PAGE, data=token | fields)
        assert chosen(asking.world, asking.person) == Choices()


class TestQuietHours:
    def test_are_kept_and_removed(self, asking: Asking) -> None:
        world, person = asking.world, asking.person
        assert press(world, person, **NIGHT).status_code == 303
        assert chosen(world, person).quiet == QuietHours(1320, 420, "Europe/Madrid")
        page = world.browser(person).get(PAGE).text
        assert re.findall(r"<option selected>(.*?)<", page) == ["22:00", "07:00"]
        assert 'value="Europe/Madrid"' in page
        press(world, person, press="no quiet")
        assert chosen(world, person).quiet is None

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"starts": "25:00"}, "Write both times"),
            ({"starts": ""}, "Write both times"),
            ({"ends": "22:00"}, "different times"),
            ({"zone": "Mars/Olympus"}, "time zone such as"),
            ({"zone": "../../etc/passwd"}, "time zone such as"),
            ({"zone": "\x00" * 1000}, "time zone such as"),
            ({"zone": '"><script>'}, "time zone such as"),
        ],
    )
    def test_wrong_values_are_shown_again_with_a_sentence(
        self, asking: Asking, wrong: dict[str, str], told: str
    ) -> None:
        answer = press(asking.world, asking.person, **NIGHT | wrong)
        assert answer.status_code == 400
        assert told in text_of(answer)
        assert "<script>" not in answer.text
        if "zone" not in wrong:
            assert 'value="Europe/Madrid"' in answer.text
        assert chosen(asking.world, asking.person) == Choices()


class TestATest:
    def test_goes_where_the_host_says_whatever_the_form_says(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        world, person = asking.world, asking.person
        press(world, person, press="test", channel="email", address="eve@example.com", to="eve")
        assert "a test of just now" in seen(world, person)
        deliver(world)
        assert [to for to, _ in mail.mails] == [[f"{person}@example.com"]]
        assert hook.posts == []
        assert "a test was sent just now" in seen(world, person)

    def test_one_that_did_not_arrive_is_told(self, asking: Asking, hook: Receiver) -> None:
        hook.status = 500
        press(asking.world, asking.person, press="test", channel="webhook")
        deliver(asking.world)
        asking.world.pass_time(601)
        deliver(asking.world)
        assert "did not arrive: ask your administrator" in seen(asking.world, asking.person)

    def test_are_few_in_an_hour(self, asking: Asking, mail: Mailbox) -> None:
        world, person = asking.world, asking.person
        for _ in range(5):
            assert press(world, person, press="test", channel="email").status_code == 303
        again = press(world, person, press="test", channel="webhook")
        assert again.status_code == 400
        assert "You have sent 5 tests within an hour" in text_of(again)
        deliver(world)
        assert len(mail.mails) == 5
        world.pass_time(3601)
        assert press(world, person, press="test", channel="email").status_code == 303

    def test_are_as_few_however_many_are_asked_for_at_once(self, asking: Asking) -> None:
        world, person = asking.world, asking.person

        def ask(_: int) -> bool:
            with suppress(Refusal):
                channel = world.context.channels["email"]
                ask_for_test(world.context.db, person, "email", channel)
                return True
            return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, range(16))) == 5

    def test_comes_in_quiet_hours_too(self, asking: Asking, mail: Mailbox) -> None:
        """It was asked for a moment ago."""
        world, person = asking.world, asking.person
        press(world, person, **NIGHT | {"starts": "00:00", "ends": "23:59", "zone": "UTC"})
        press(world, person, press="test", channel="email")
        deliver(world)
        assert len(mail.mails) == 1


def test_who_leaves_leaves_no_choice_behind(asking: Asking) -> None:
    press(asking.world, asking.person, **NIGHT)
    person_left(asking.world.context.db, asking.person, why="left")
    assert chosen(asking.world, asking.person) == Choices()
