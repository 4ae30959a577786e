"""A person is told that an agent waits for their word: once, where they are reached, and only
while it is so. What is sent decides nothing."""

import re
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from deputize.approvals.choices import switch
from deputize.approvals.notifiers.chat import Chat
from deputize.approvals.notifiers.deliver import DELIVERIES
from deputize.approvals.tell import destination
from deputize.endings.edit_catalogue import declare_scope
from deputize.endings.end_task import end_task
from deputize.outbox.claim import PER_DESTINATION, claim
from deputize.outbox.deliver import Deliverer
from deputize.outbox.models import outbox
from deputize.settings import Chat as ChatSection
from notifiers.conftest import deliver, outcomes
from notifiers.receivers import Mailbox, Receiver
from storage.hearing import Ear
from support.agents_http import decode
from support.asking import Asking
from support.details import declare, payment, spelled
from support.running import Running
from support.world import CALENDAR, SCOPES, World

INBOX = "/deputize/approvals"
ROOM = SecretStr("json://127.0.0.1/")
URL = re.compile(r"https?://\S+")
PAYING = next(s for s in SCOPES if s.name == "pay:transfer")


def waiting(world: World) -> list[str]:
    with world.context.db.read() as tx:
        asked = select(outbox.c.destination).where(outbox.c.done_at.is_(None))
        return sorted(tx.execute(asked).scalars())


class TestAQuestion:
    def test_is_told_by_each_channel_once(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        asking.asked()
        assert deliver(asking.world) == 2
        assert deliver(asking.world) == 0
        assert [to for to, _ in mail.mails] == [[f"{asking.person}@example.com"]]
        (body,) = hook.bodies()
        assert body["type"] == "approval.requested"
        assert (body["data"]["person"], body["data"]["agent"]) == (asking.person, "planner")

    def test_asking_again_tells_nobody_again(self, asking: Asking, mail: Mailbox) -> None:
        asking.asked()
        asking.asked()
        deliver(asking.world)
        assert len(mail.mails) == 1

    def test_a_sibling_that_joins_a_card_tells_nobody_again(
        self, asking: Asking, mail: Mailbox
    ) -> None:
        world = asking.world
        for name in ("booker", "checker"):
            taken = world.hand_over(asking.hold, "planner", name, "flights:search")
            Asking(world, world.agent(name), taken, asking.person).asked()
        deliver(world)
        assert len(mail.mails) == 1
        assert "booker" in mail.texts()[0]

    def test_says_who_asks_and_leads_to_the_inbox_alone(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        asking.asked(binding_message="Pay me at https://evil.example now")
        deliver(asking.world)
        (text,) = mail.texts()
        assert "planner asks for your word" in text
        assert URL.findall(text) == [asking.world.url + INBOX]
        # Others read what goes to the organisation.
        name = asking.world.host.people[asking.person].name
        assert f"planner asks for {name}’s word" in hook.bodies()[0]["data"]["text"]

    def test_nothing_of_what_the_agent_says_goes_out(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        request = asking.asked(binding_message="TP1234, seat 14C")
        deliver(asking.world)
        sent = mail.mails[0][1].as_string() + hook.posts[0][1].decode()
        task = decode(asking.hold)[1]["task_id"]
        for never in ("TP1234", "Books trips", "pay:transfer", "Pay", request, task):
            assert never not in sent

    def test_says_what_is_asked_for_where_the_settings_say_so(
        self, asking: Asking, mail: Mailbox
    ) -> None:
        world = asking.world
        declare(world)
        details = spelled(payment(creditor="Air X at evil.example"))
        asking.asked(scope="openid pay:order", authorization_details=details)
        deliver_with(world, details=True)
        (text,) = mail.texts()
        assert "It asks for this: Pay €420.00 to Air X at evil. example" in text
        assert "14C" not in text

    def test_one_that_is_decided_is_not_told(self, asking: Asking, mail: Mailbox) -> None:
        asking.asked()
        asking.say_no()
        deliver(asking.world)
        assert mail.mails == []
        assert outcomes(asking.world) == {"email": "over", "webhook": "over"}

    def test_one_whose_task_has_ended_is_not_told(self, asking: Asking, mail: Mailbox) -> None:
        asking.asked()
        asking.agent.revoke(asking.hold)
        deliver(asking.world)
        assert mail.mails == []

    def test_one_that_has_expired_is_not_told(self, asking: Asking, mail: Mailbox) -> None:
        asking.asked()
        asking.world.pass_time(301)
        deliver(asking.world)
        assert mail.mails == []
        assert outcomes(asking.world)["email"] == "too late"

    def test_a_person_who_is_locked_out_is_not_told(self, asking: Asking, mail: Mailbox) -> None:
        asking.asked()
        asking.world.host.inactive.add(asking.person)
        deliver(asking.world)
        assert mail.mails == []

    def test_where_the_host_knows_no_address_the_others_are_told(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        del asking.world.host.addresses[asking.person, "email"]
        asking.asked()
        deliver(asking.world)
        assert (len(mail.mails), len(hook.posts)) == (0, 1)
        assert outcomes(asking.world) == {"email": "no address", "webhook": "sent"}

    def test_by_no_channel_that_the_person_switched_off(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        db = asking.world.context.db
        switch(db, asking.person, "webhook", is_on=False)
        asking.asked()
        assert waiting(asking.world) == ["email"]
        # Nor by one that they switch off meanwhile.
        switch(db, asking.person, "email", is_on=False)
        deliver(asking.world)
        assert (mail.mails, hook.posts) == ([], [])
        switch(db, asking.person, "email", is_on=True)
        asking.say_no()
        asking.asked()
        deliver(asking.world)
        assert len(mail.mails) == 1


def deliver_with(world: World, *, details: bool) -> None:
    """Send what is due as a process does whose settings say so."""
    context = world.context
    notify = context.settings.notify.model_copy(update={"details": details})
    settings = context.settings.model_copy(update={"notify": notify})
    told = replace(context, settings=settings)
    deliveries = {kind: make(told) for kind, make in DELIVERIES.items()}
    Deliverer(context.db, deliveries, at_once=4).deliver_due()


class TestWhoIsUp:
    @pytest.mark.parametrize("answer", ["451 later", "550 never", "421 too busy"])
    def test_what_a_mail_server_refuses_is_tried_again_and_holds_up_nobody(
        self, asking: Asking, mail: Mailbox, hook: Receiver, answer: str
    ) -> None:
        mail.answers = answer
        asking.asked()
        deliver(asking.world)
        assert len(hook.posts) == 1
        mail.answers = None
        asking.world.pass_time(5)
        deliver(asking.world)
        assert len(mail.mails) == 1

    def test_an_address_that_is_refused_holds_up_no_other(
        self, asking: Asking, mail: Mailbox, world: World
    ) -> None:
        mail.refused.add(f"{asking.person}@example.com")
        asking.asked()
        hold = world.hold("planner", "ana")
        world.host.addresses["ana", "email"] = "ana@example.com"
        Asking(world, world.agent("planner"), hold, "ana").asked()
        deliver(world)
        assert [to for to, _ in mail.mails] == [["ana@example.com"]]

    def test_a_webhook_that_answers_no_2xx_is_tried_again(
        self, asking: Asking, hook: Receiver
    ) -> None:
        hook.status = 503
        asking.asked()
        deliver(asking.world)
        hook.status = 200
        asking.world.pass_time(5)
        deliver(asking.world)
        ids = [headers["webhook-id"] for headers, _ in hook.posts]
        assert len(ids) == 2
        assert len(set(ids)) == 1

    def test_one_server_for_all_is_asked_for_few_at_a_time(self, asking: Asking) -> None:
        """However many wait for it: what goes elsewhere finds room."""
        for name in ("booker", "checker"):
            taken = asking.world.hand_over(asking.hold, "planner", name, "flights:search")
            scope = {"booker": "calendar:read", "checker": "calendar:write"}[name]
            asker = Asking(asking.world, asking.world.agent(name), taken, asking.person)
            asker.asked(scope=f"openid {scope}", resource=CALENDAR)
        asking.asked()
        lines = claim(asking.world.context.db, 8, DELIVERIES, [])
        destinations = [line.destination for line in lines]
        assert destinations.count("email") == destinations.count("webhook") == PER_DESTINATION

    def test_a_server_of_each_persons_own_holds_up_that_person_alone(self) -> None:
        own, room = Chat(ChatSection(schemes=("json",))), Chat(ChatSection(url=ROOM))
        assert destination("chat", own, "p-1") != destination("chat", own, "p-2")
        assert destination("chat", room, "p-1") == destination("chat", room, "p-2") == "chat"


class TestOthersWhoMustSayYes:
    @pytest.fixture(autouse=True)
    def finance(self, world: World) -> object:
        asks = {"approvers": "group:finance", "quorum": 1}
        later = {"escalates_to": "group:board", "escalates_after": 120}
        declare_scope(world.context.db, replace(PAYING, **asks, **later))
        yield
        declare_scope(world.context.db, PAYING)

    def test_the_organisation_is_told_with_the_name_of_the_group(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        asking.asked()
        deliver(asking.world)
        asking.say_yes()
        deliver(asking.world)
        # Who is in a group, only the host knows: nobody is written to.
        assert len(mail.mails) == 1
        told = hook.bodies()[-1]
        assert told["type"] == "approval.vote_requested"
        assert told["data"]["groups"] == ["finance"]
        assert "It happens only if finance says yes too" in told["data"]["text"]
        asking.world.pass_time(121)
        deliver(asking.world)
        assert hook.bodies()[-1]["data"]["groups"] == ["board", "finance"]
        assert len(hook.posts) == 3

    def test_nobody_is_told_of_a_no(self, asking: Asking, hook: Receiver) -> None:
        asking.asked()
        asking.say_no()
        deliver(asking.world)
        assert hook.posts == []


class TestAHostileName:
    @pytest.mark.parametrize(
        "name",
        [
            "x\r\nBcc: eve@example.com",
            "x\nSubject: Approved\n\nAll is well",
            "\u202eevil.example/approve\u200b",
            "https://evil.example/?x=1",
            "eve@evil.example",
            "<!channel> [approve](evil.example)",
            "evil。example",
            "A" * 200,
        ],
    )
    def test_adds_no_header_no_line_and_no_link(
        self, asking: Asking, mail: Mailbox, name: str
    ) -> None:
        world = asking.world
        world.edit("planner", name=name)
        asking.asked()
        deliver(world)
        ((to, sent),) = mail.mails
        text = sent.get_content()
        assert to == [f"{asking.person}@example.com"]
        assert sorted(set(sent.keys())) == sorted(sent.keys())
        assert "Bcc" not in sent
        assert len(text.splitlines()) == 5
        assert "\u202e" not in text + sent["Subject"]
        assert len(sent["Subject"]) < 100
        left = text.replace(world.url + INBOX, "") + sent["Subject"]
        assert not re.search(r"\w[.。@]\w|://|[<>\[\]]", left)


def test_it_costs_a_statement_for_each_channel_and_one_to_know_which(asking: Asking) -> None:
    """Without a channel nothing: tests/storage holds what asking costs then."""
    ear = Ear(asking.world.context.db)
    with ear.hearing() as with_both:
        asking.asked()
    asking.say_no()
    for name in ("email", "webhook"):
        switch(asking.world.context.db, asking.person, name, is_on=False)
    with ear.hearing() as with_none:
        asking.asked()
    assert len(with_both) - len(with_none) == 2
    assert sum("deputize_notify_choice" in told.text for told in with_none) == 1


class TestAProposedEnd:
    def test_is_told_once_and_leads_to_the_inbox(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        task = Running(asking.world, asking.person, task_completion="person")
        task.propose()
        task.propose()
        deliver(asking.world)
        (text,) = mail.texts()
        assert f"{task.agent} says that your task is over" in text
        assert URL.findall(text) == [asking.world.url + INBOX]
        assert hook.bodies()[0]["type"] == "task.end_proposed"
        page = asking.world.browser(asking.person).get(INBOX).text
        assert f"/deputize/agents/tasks/{task.id}" in page

    def test_so_is_a_wish_for_more_time(
        self, asking: Asking, mail: Mailbox, hook: Receiver
    ) -> None:
        task = Running(asking.world, asking.person)
        for _ in range(2):
            task.post(action="extend", expires_in=86_400)
        deliver(asking.world)
        (text,) = mail.texts()
        assert f"{task.agent} asks for more time for your task" in text
        assert hook.bodies()[0]["type"] == "task.time_asked"

    def test_once_answered_nobody_is_told(self, asking: Asking, mail: Mailbox) -> None:
        task = Running(asking.world, asking.person, task_completion="person")
        task.propose()
        end_task(asking.world.context.db, task.id, why="ended_by_operator")
        deliver(asking.world)
        assert mail.texts() == []
