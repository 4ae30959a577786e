"""Every page in every state that a person can meet, and how they come to meet it.

Each has a person of its own, so that no state depends on what another left behind.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from deputize.agents.lifecycle import Status
from deputize.web_push.add import add_browser
from idp.browser import PASSWORD
from pages.hands import Hands, Pointer
from pages.house import House
from support.agents_http import decode, pkce
from support.asking import Asking
from support.details import folders, payment, spelled
from support.push_service import PushBrowser, application_server
from support.running import Running
from support.world import CALENDAR, FLIGHTS, PAY, authorize_url

WAY_BACK = "http://127.0.0.1:4711/callback"
SCOPE = "calendar:read calendar:write flights:search pay:transfer agents:spawn"
PAYING = spelled(payment())
AGENTS = "/deputize/agents"
GRAPH = "/deputize/graph"
REGISTER = "/deputize/register"
TASKS = "/deputize/tasks"
PASSKEYS = "/deputize/passkeys"
BROWSERS = "/deputize/browsers"
NOTIFICATIONS = "/deputize/notifications"
DAY = 86_400
ORDER = {"type": "order", "amount": "420.00", "currency": "EUR", "creditor": "Airline X"}
APPROVALS = "/deputize/approvals"
#: Reorders, hides, breaks out of its quotation, of its element and of its line, and goes on.
HOSTILE = (
    "\u202e\u2066\u200b\u200dYour bank\ufeff” says:\n\r\u2028“safe”"
    "</bdi></h1><script>alert(1)</script><style>*{display:none}</style>"
    "<img src=https://evil.example/x onerror=alert(1)>{{ 7*7 }}\u0300\u0301\u0302\u0303\u0304"
)
#: The worst that fits: what can't be printed is refused at the wire.
HOSTILE_MESSAGE = (
    "” Pay €1</blockquote></form><script>alert(1)</script>"
    "<img src=https://evil.example/x onerror=alert(1)>"
    "שלם̀́̂̃̄ {{ 7*7 }} “Approved” "
).ljust(200, "W")
HOSTILE_CREDITOR = "Airline X for €1.00</bdi></h2><script>alert(1)</script>".ljust(70, "W")


@dataclass(frozen=True)
class Visit:
    """A browser of one person, at the server."""

    house: House
    page: Page
    person: str

    @property
    def hands(self) -> Hands:
        return Pointer(self.page)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.house.url}{path}")

    def sign_in(self, password: str = PASSWORD) -> None:
        """Fill in the sign-in page that the browser is at."""
        self.hands.fill("User name", self.person)
        self.hands.fill("Password", password)
        self.hands.press("Sign in")

    def ask(self, client_id: str = "planner", **params: str) -> None:
        """Follow an agent's link."""
        usual = {"redirect_uri": WAY_BACK, "scope": SCOPE, "resource": [CALENDAR, FLIGHTS, PAY]}
        self.page.goto(authorize_url(self.house.metadata, client_id, pkce()[1], **usual | params))

    def consent(self, client_id: str = "planner", **params: str) -> None:
        """Follow an agent's link up to the consent page."""
        self.ask(client_id, **params)
        self.sign_in()

    def agents(self) -> None:
        """Sign in to "Agents acting for me"."""
        self.go(AGENTS)
        self.sign_in()

    def trip(self) -> dict[str, str]:
        """Let planner act, booker by it, and a helper by booker; what each holds."""
        house = self.house
        planner = house.hold(person=self.person)
        booker = house.hand_over(planner, "planner", "booker", "flights:search agents:spawn")
        helper = house.spawn("booker", booker, "flights:search")
        helping = house.hand_over(booker, "booker", helper, "flights:search")
        return {"planner": planner, "booker": booker, helper: helping}

    def inbox(self) -> None:
        """Sign in to "What agents ask you"."""
        self.go(APPROVALS)
        self.sign_in()

    def planner_asks(self) -> tuple[Asking, str]:
        """Let planner act but not on the calendar, and ask for that; return the id too."""
        calendar = ("calendar:write", "calendar:read")
        hold = self.house.hold(person=self.person, untick=calendar)
        asking = Asking(self.house, self.house.agent("planner"), hold, self.person)
        words = "The 14:00 with Rui moves to Thursday"
        scope = "openid calendar:read calendar:write"
        return asking, asking.asked(scope=scope, resource=CALENDAR, binding_message=words)

    def signed_in_at(self, path: str) -> None:
        """Go there, by the sign-in page if that comes first."""
        self.go(path)
        if "/sign-in" in self.page.url:
            self.sign_in()

    def with_authenticator(self, transport: str = "internal") -> Callable[[bool], None]:
        """Give the browser a device; return what tells it whether it finds its owner there."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        device = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": device})

        def finds(owner: bool) -> None:
            told = {"authenticatorId": made["authenticatorId"], "isUserVerified": owner}
            session.send("WebAuthn.setUserVerified", told)

        return finds

    def enrol(self, name: str = "My phone") -> None:
        """Add a passkey on the real page."""
        self.signed_in_at(f"{PASSKEYS}/new")
        self.hands.fill("What do you call it?", name)
        self.hands.press("Make a passkey")

    def enrol_long_ago(self) -> Callable[[bool], None]:
        """Have a passkey that counts by now; return what tells its device of its owner."""
        finds = self.with_authenticator()
        with self.house.later(-2 * DAY):
            self.enrol()
        return finds

    def planner_orders(self) -> tuple[Asking, str]:
        """Let planner act, and ask to pay for what takes a passkey; return the id too."""
        hold = self.house.hold(person=self.person)
        asking = Asking(self.house, self.house.agent("planner"), hold, self.person)
        details = json.dumps([ORDER])
        return asking, asking.asked(scope="openid pay:order", authorization_details=details)

    def booker_asks(
        self, message: str = "TP1234, 3 December, seat 14C", details: str = PAYING
    ) -> Asking:
        """Let planner act, booker by it, and booker ask to pay."""
        house = self.house
        taken = house.hand_over(
            house.hold(person=self.person), "planner", "booker", "flights:search agents:spawn"
        )
        asking = Asking(house, house.agent("booker"), taken, self.person)
        asking.asked(binding_message=message, authorization_details=details)
        return asking


def sign_in(visit: Visit) -> None:
    visit.ask()


def sign_in_refused(visit: Visit) -> None:
    visit.ask()
    visit.sign_in(password="not this one")


def consent(visit: Visit) -> None:
    visit.consent()


def consent_with_details(visit: Visit) -> None:
    details = spelled(folders("Lisbon 2026", "Invoices"))
    visit.consent(scope=f"{SCOPE} files:read", authorization_details=details)


def consent_with_nothing_ticked(visit: Visit) -> None:
    visit.consent()
    for words in ("Read your", "Add and change", "Search", "Start helpers"):
        visit.hands.untick(words)
    visit.hands.press("Let planner act")


def consent_that_changed(visit: Visit) -> None:
    visit.house.register("shifty", purpose="Book the Lisbon trip")
    visit.consent("shifty")
    visit.hands.untick("Search flights")
    visit.house.edit("shifty", purpose="Book the Porto trip instead")
    visit.hands.press("Let shifty act")


def consent_to_a_hostile_agent(visit: Visit) -> None:
    visit.consent("hostile")


def unknown_agent(visit: Visit) -> None:
    visit.ask("nobody")


def unknown_way_back(visit: Visit) -> None:
    visit.ask(redirect_uri="https://evil.example/callback")


def no_agent(visit: Visit) -> None:
    visit.agents()


def agents(visit: Visit) -> None:
    visit.trip()
    visit.agents()


def stop_booker(visit: Visit) -> None:
    agents(visit)
    visit.hands.follow("Stop booker")


def agents_after_a_stop(visit: Visit) -> None:
    stop_booker(visit)
    visit.hands.press("Stop booker")


def says_that_it_is_done(visit: Visit) -> None:
    Running(visit.house, visit.person, name="planner", task_completion="person").propose()
    visit.agents()


def inbox_with_a_task_that_is_done(visit: Visit) -> None:
    visit.booker_asks()
    Running(visit.house, visit.person, name="planner", task_completion="person").propose()
    visit.inbox()


def is_it_over(visit: Visit) -> None:
    says_that_it_is_done(visit)
    visit.hands.follow("Is it over? For the task of planner")


def more_time(visit: Visit) -> None:
    visit.trip()
    visit.agents()
    visit.hands.follow("More time For the task of planner")


def asks_for_more_time(visit: Visit) -> None:
    asking = Running(visit.house, visit.person, name="planner")
    asking.post(action="extend", expires_in=18 * 3600)
    visit.agents()
    visit.hands.follow("More time? For the task of planner")


def nothing_to_answer(visit: Visit) -> None:
    visit.agents()
    visit.go(f"{AGENTS}/tasks/0123456789abcdef")


def finished(visit: Visit) -> None:
    visit.trip()
    visit.agents()
    visit.hands.follow("Stop planner")
    visit.hands.press("Stop planner")
    visit.hands.open("A task of planner")


def nothing_to_stop(visit: Visit) -> None:
    visit.agents()
    visit.go(f"{AGENTS}/0123456789abcdef/end")


def hostile_agents(visit: Visit) -> None:
    visit.house.hold("hostile", visit.person)
    visit.agents()


def stop_hostile(visit: Visit) -> None:
    hostile_agents(visit)
    visit.go(visit.page.locator("a.press[href$=end]").get_attribute("href") or "")


def agents_while_one_asks(visit: Visit) -> None:
    visit.booker_asks()
    visit.agents()


def nothing_waits(visit: Visit) -> None:
    visit.inbox()


def inbox(visit: Visit) -> None:
    visit.booker_asks()
    visit.inbox()


def inbox_with_two_cards(visit: Visit) -> None:
    visit.booker_asks()
    visit.planner_asks()
    visit.inbox()


def card_with_nothing_ticked(visit: Visit) -> None:
    visit.planner_asks()
    visit.inbox()
    visit.hands.untick("Read your calendar")
    visit.hands.untick("Add and change")
    visit.hands.press("Approve")


def amount_too_high(visit: Visit) -> None:
    inbox(visit)
    visit.hands.fill("Amount", "421")
    visit.hands.press("Approve")


def past_deciding(visit: Visit) -> None:
    visit.booker_asks()
    with visit.house.later(301):
        visit.inbox()


def decided_too_late(visit: Visit) -> None:
    inbox(visit)
    with visit.house.later(301):
        visit.hands.press("Approve")


def my_word_is_asked_for_too(visit: Visit) -> None:
    house = visit.house
    asking = Asking(house, house.agent("planner"), house.hold(person=visit.person), visit.person)
    asking.asked(scope="openid pay:invoice", binding_message="Invoice 2026-117, the hotel")
    visit.inbox()
    visit.hands.press("Approve")
    visit.page.context.clear_cookies()
    Visit(house, visit.page, house.ana("finance", name="Fay Okoro")).inbox()


def my_decisions(visit: Visit) -> None:
    visit.planner_asks()
    visit.inbox()
    visit.hands.untick("Add and change")
    visit.hands.press("Approve")
    asking = visit.booker_asks()
    visit.page.reload()
    visit.hands.fill("Amount", "400.00")
    visit.hands.press("Approve")
    lounge = spelled(payment("35.00", creditor="Lounge Y"))
    asking.asked(binding_message="There are three hours to wait", authorization_details=lounge)
    visit.page.reload()
    visit.hands.press("Deny")


def hostile_question(visit: Visit) -> None:
    visit.booker_asks(HOSTILE_MESSAGE, spelled(payment("999999999.99", creditor=HOSTILE_CREDITOR)))
    visit.inbox()


def graph_of_nobody(visit: Visit) -> None:
    visit.signed_in_at(GRAPH)


def graph(visit: Visit) -> None:
    visit.trip()
    visit.planner_asks()
    visit.signed_in_at(GRAPH)


def graph_with_a_node_chosen(visit: Visit) -> None:
    hold = visit.trip()["booker"]
    visit.signed_in_at(f"{GRAPH}?node={decode(hold)[1]['delegation_id']}")


def graph_after_an_end(visit: Visit) -> None:
    graph_with_a_node_chosen(visit)
    visit.hands.press("End what booker holds here")


def graph_as_a_table(visit: Visit) -> None:
    visit.trip()
    visit.signed_in_at(f"{GRAPH}?view=table")


def hostile_graph(visit: Visit) -> None:
    hold = visit.house.hold("hostile", visit.person)
    visit.signed_in_at(f"{GRAPH}?node={decode(hold)[1]['delegation_id']}")


def courier(visit: Visit, **members: Any) -> str:
    """Let the person own an agent, which acts for them; return its client id."""
    house, client_id = visit.house, f"courier-{visit.person}"
    owner = house.key_of(visit.person)
    usual = {
        "name": "courier",
        "purpose": "Brings parcels to the door",
        "owner": owner,
        "scope": frozenset({"calendar:read"}),
        "resources": frozenset({CALENDAR}),
    }
    house.register(client_id, **usual | members)
    house.hold(client_id, visit.person, scope="calendar:read", resource=CALENDAR)
    return client_id


def register(visit: Visit) -> None:
    courier(visit)
    visit.house.register(
        f"stocktaker-{visit.person}",
        name="stocktaker",
        owner=visit.house.key_of(visit.person),
        status=Status.SUSPENDED,
    )
    visit.signed_in_at(REGISTER)


def register_of_what_is_unused(visit: Visit) -> None:
    visit.signed_in_at(f"{REGISTER}?state=unused&days=90")


def agent_page(visit: Visit) -> None:
    visit.signed_in_at(f"{REGISTER}/{courier(visit)}")


def hostile_agent_page(visit: Visit) -> None:
    words = (HOSTILE * 40)[:5000]
    client_id = courier(visit, name=words, purpose=words, model=words[:200], sponsor="nobody")
    visit.signed_in_at(f"{REGISTER}/{client_id}")


def suspend_agent(visit: Visit) -> None:
    agent_page(visit)
    visit.hands.follow("Suspend courier")


def agent_suspended(visit: Visit) -> None:
    suspend_agent(visit)
    visit.hands.press("Suspend courier")


def none_of_yours(visit: Visit) -> None:
    visit.signed_in_at(f"{REGISTER}/planner")


def task_timeline(visit: Visit) -> None:
    house = visit.house
    with house.later(-40 * 60):
        planner = house.hold(person=visit.person)
        house.pass_time(60)
        taken = house.hand_over(planner, "planner", "booker", "flights:search agents:spawn")
        house.pass_time(60)
        helper = house.spawn("booker", taken, "flights:search")
        house.hand_over(taken, "booker", helper, "flights:search")
        asking = Asking(house, house.agent("booker"), taken, visit.person)
        asking.asked(binding_message="TP1234, 3 December", authorization_details=PAYING)
        house.pass_time(2 * 60)
        house.agent("booker").revoke(taken)
        house.pass_time(-4 * 60)
    visit.signed_in_at(f"{TASKS}/{decode(planner)[1]['task_id']}")


def no_passkey(visit: Visit) -> None:
    visit.signed_in_at(PASSKEYS)


def adding_a_passkey(visit: Visit) -> None:
    visit.signed_in_at(f"{PASSKEYS}/new")


def my_passkeys(visit: Visit) -> None:
    visit.enrol_long_ago()
    visit.signed_in_at(f"{PASSKEYS}/new")
    visit.hands.press("Use my passkey")
    visit.with_authenticator("usb")
    visit.hands.fill("What do you call it?", "The key on my desk")
    visit.hands.press("Make a passkey")


def removing_a_passkey(visit: Visit) -> None:
    visit.enrol_long_ago()
    visit.signed_in_at(PASSKEYS)
    visit.hands.follow("Remove My phone")


def card_that_takes_a_passkey(visit: Visit) -> None:
    visit.planner_orders()
    visit.inbox()


def no_passkey_that_counts(visit: Visit) -> None:
    card_that_takes_a_passkey(visit)
    visit.hands.press("Approve")


def what_is_signed(visit: Visit) -> None:
    visit.enrol_long_ago()
    visit.planner_orders()
    visit.signed_in_at(APPROVALS)
    visit.hands.fill("Amount", "400.00")
    visit.hands.press("Approve")


def no_code(visit: Visit) -> None:
    visit.agents()
    visit.hands.follow("Your code for agents that ask you")


def code_that_was_set(visit: Visit) -> None:
    no_code(visit)
    visit.hands.fill("A new code", "seven otters")
    visit.hands.press("Set this code")


def code_that_is_none(visit: Visit) -> None:
    no_code(visit)
    visit.hands.fill("A new code", "short")
    visit.hands.press("Set this code")


def code_after_a_while(visit: Visit) -> None:
    no_code(visit)
    with visit.house.later(301):
        visit.page.reload()


def no_browser(visit: Visit) -> None:
    visit.signed_in_at(BROWSERS)


def my_browsers(visit: Visit) -> None:
    house, key = visit.house, visit.house.key_of(visit.person)
    for at, name in enumerate(("My phone", "The desk at work, on the left by the window")):
        one = PushBrowser(f"https://fcm.googleapis.com/fcm/send/{visit.person}{at}")
        with house.later(at):
            add_browser(application_server(house.context), key, one.subscription(), name)
    visit.signed_in_at(BROWSERS)


def browser_of_another_service(visit: Visit) -> None:
    elsewhere = "async () => ({ endpoint: 'https://push.example/x' })"
    visit.page.add_init_script(f"PushManager.prototype.subscribe = {elsewhere}")
    no_browser(visit)
    visit.hands.press("Tell me in this browser")


def how_i_am_told(visit: Visit) -> None:
    visit.inbox()
    visit.hands.follow("How you are told")


def quiet_hours(visit: Visit) -> None:
    how_i_am_told(visit)
    visit.hands.press("Send me a test by E-mail")
    visit.hands.press("Switch off The desk of the bank")
    visit.hands.fill("Time zone", "Europe/Madrid")
    visit.hands.press("Keep quiet hours")


def quiet_hours_of_no_zone(visit: Visit) -> None:
    how_i_am_told(visit)
    visit.hands.fill("Time zone", "Mars/Olympus")
    visit.hands.press("Keep quiet hours")


def nothing_is_sent(visit: Visit) -> None:
    with visit.house.without_channels():
        visit.signed_in_at(NOTIFICATIONS)


def account(visit: Visit) -> None:
    visit.go("/account")
    visit.sign_in()


def sign_out(visit: Visit) -> None:
    account(visit)
    visit.hands.follow("Sign out")


#: What leaves something in a browser that no other state may find there: a device, a script.
MARKING = (browser_of_another_service, my_passkeys, removing_a_passkey, what_is_signed)

STATES: tuple[Callable[[Visit], None], ...] = (
    sign_in,
    sign_in_refused,
    consent,
    consent_with_details,
    consent_with_nothing_ticked,
    consent_that_changed,
    consent_to_a_hostile_agent,
    unknown_agent,
    unknown_way_back,
    no_agent,
    agents,
    stop_booker,
    agents_after_a_stop,
    says_that_it_is_done,
    inbox_with_a_task_that_is_done,
    is_it_over,
    more_time,
    nothing_to_answer,
    finished,
    nothing_to_stop,
    hostile_agents,
    stop_hostile,
    agents_while_one_asks,
    nothing_waits,
    inbox,
    inbox_with_two_cards,
    card_with_nothing_ticked,
    amount_too_high,
    past_deciding,
    decided_too_late,
    my_word_is_asked_for_too,
    my_decisions,
    hostile_question,
    graph_of_nobody,
    graph,
    graph_with_a_node_chosen,
    graph_after_an_end,
    graph_as_a_table,
    hostile_graph,
    register,
    register_of_what_is_unused,
    agent_page,
    hostile_agent_page,
    suspend_agent,
    agent_suspended,
    none_of_yours,
    task_timeline,
    no_passkey,
    adding_a_passkey,
    my_passkeys,
    removing_a_passkey,
    card_that_takes_a_passkey,
    no_passkey_that_counts,
    what_is_signed,
    no_code,
    code_that_was_set,
    code_that_is_none,
    code_after_a_while,
    no_browser,
    my_browsers,
    browser_of_another_service,
    how_i_am_told,
    quiet_hours,
    quiet_hours_of_no_zone,
    nothing_is_sent,
    account,
    sign_out,
)
