"""The story of one trip, step by step. Each step says what it does, does it, and checks it.

A step that does not go as told ends the story: what follows would mean nothing.
"""

import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx

from .cast import Cast, assemble
from .payment import Payment
from .person import Person, PersonAtTheScreen, ScriptedPerson
from .processes import ProcessError, Processes
from .proof import check_receipt, find_a_changed_byte
from .stage import Stage
from .telling import BAD, GOOD, NotAsToldError, Telling
from .trail import Trail

SCOPE = "calendar:read flights:search flights:hold agents:spawn tasks"
PAY = "pay:transfer"
PAYMENT = {"type": "payment", "amount": "420.00", "currency": "EUR", "creditor": "Airline X"}
SCOUT = "fare-scout"
PROPOSED = "task.proposed"
PERSON = "Ana"


def play(folder: Path, *, is_scripted: bool) -> bool:
    """Tell the story with everything in `folder`; return whether it went as told.

    :param is_scripted: whether Ana's part is played too, and the server ends with the story
    """
    telling = Telling()
    with Processes(folder) as processes:
        try:
            telling.line("Starting the server, three APIs and three agents …")
            cast = assemble(processes, folder)
            with closing(Trail(folder)) as trail:
                person = ScriptedPerson() if is_scripted else PersonAtTheScreen(telling, trail)
                Story(cast, person, telling, trail).tell()
        except (NotAsToldError, ProcessError, httpx.HTTPError) as error:
            telling.failed(str(error))
            return False
        if not is_scripted:
            _stay_up(telling, cast)
    return True


def _stay_up(telling: Telling, cast: Cast) -> None:
    telling.invite("The server stays up until Ctrl-C; what happened is here:", _page(cast))
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _page(cast: Cast) -> str:
    return str(cast.metadata["agents_page"])


class Story(Stage):
    """The trip, in its steps."""

    def __init__(self, cast: Cast, person: Person, telling: Telling, trail: Trail) -> None:
        super().__init__(cast, telling, trail)
        self.person = person

    def tell(self) -> None:
        """Play every step.

        :raises NotAsToldError: at the first that goes otherwise
        """
        steps = (
            self.the_server_is_up,
            self.ana_deputizes_planner,
            self.planner_reads_the_calendar,
            self.booker_takes_the_flights,
            self.booker_spawns_a_fare_scout,
            self.everyone_at_a_glance,
            self.mallory_overhears,
            self.booker_must_pay,
            self.the_yes_is_for_one_payment,
            self.the_trip_is_booked,
            self.ana_accepts,
            self.every_token_is_refused,
            self.the_receipt_is_good,
            self.a_changed_byte_is_found,
        )
        for step in steps:
            step()

    def the_server_is_up(self) -> None:
        self.telling.step("The server is up, with everyone declared")
        self.telling.line(f"the server    {self.cast.issuer}")
        for name, api in self.cast.apis.items():
            self.telling.line(f"{name:13} {api.url}   tokens call it {api.identifier}")
        self.telling.line("agents        planner, booker, mallory: each in a process of its own")

    def ana_deputizes_planner(self) -> None:
        self.telling.step(f"{PERSON} signs in and deputizes planner for a trip")
        resources = [api.identifier for api in self.cast.apis.values()]
        url = self.done("planner", "ask_person", scope=SCOPE, resource=resources)["url"]
        self.person.allow(url)
        hold = self.token("planner's hold", "planner", "redeem", self.person.patience, keep="hold")
        self.expect_scope(hold, SCOPE)
        self.telling.outcome(GOOD, f"planner holds {hold.claims['scope']}")
        subject = hold.claims["sub"]
        self.telling.aside(f"Tokens and APIs know {PERSON} as {subject}; here the name is shown.")
        self.telling.names[subject] = PERSON

    def planner_reads_the_calendar(self) -> None:
        self.telling.step("planner reads the calendar, with a token for it alone")
        api = self.cast.apis["calendar"]
        self.token(
            "calendar token", "planner", "narrow", of="hold", resource=api.identifier, keep="api"
        )
        self.call("planner", "calendar", "/events", "calendar token", 200)

    def booker_takes_the_flights(self) -> None:
        self.telling.step("planner hands a narrower authority over to booker, for the flights API")
        scope = "flights:search flights:hold agents:spawn"
        given = self.token(
            "hand-over to booker", "planner", "hand_over", of="hold", to="booker", scope=scope
        )
        self.token("booker's hold", "booker", "take", token=given.value, keep="hold")
        self.telling.outcome(GOOD, f"booker took {scope}: nothing of the calendar")
        api = self.cast.apis["flights"]
        self.token(
            "flights token", "booker", "narrow", of="hold", resource=api.identifier, keep="api"
        )
        self.call("booker", "flights", "/flights", "flights token", 200)

    def booker_spawns_a_fare_scout(self) -> None:
        self.telling.step(f"booker spawns a throw-away {SCOUT} and hands on (depth 3)")
        scope, purpose = "flights:search", "Compare fares"
        child = self.done("booker", "spawn", of="hold", scope=scope, purpose=purpose)
        self.telling.outcome(GOOD, f"registered as {child['client_id']}, below booker")
        self.telling.names[child["client_id"]] = SCOUT
        self.cast.enter(SCOUT, **child)
        to = child["client_id"]
        given = self.token(
            f"hand-over to {SCOUT}", "booker", "hand_over", of="hold", to=to, scope=scope
        )
        api = self.cast.apis["flights"]
        self.token(
            f"{SCOUT}'s token",
            SCOUT,
            "take",
            token=given.value,
            resource=api.identifier,
            keep="api",
        )
        self.call(SCOUT, "flights", "/flights", f"{SCOUT}'s token", 200)

    def everyone_at_a_glance(self) -> None:
        self.telling.step("Who acts for whom, and what each token says")
        self.telling.tree(PERSON, list(self.held.values()))

    def mallory_overhears(self) -> None:
        self.telling.step("mallory, another registered agent, shows tokens that it overheard")
        for name, rule in (
            ("planner's hold", "subject.not_the_actor"),
            ("flights token", "subject.not_the_actor"),
            ("hand-over to booker", "subject.may_act"),
            (f"hand-over to {SCOUT}", "subject.may_act"),
        ):
            self.refused("mallory", name, rule, "take", token=self.held[name].value, keep="stolen")
        for name in ("planner's hold", "hand-over to booker", "calendar token"):
            self.call("mallory", "flights", "/flights", name, 401)
        self.telling.aside(
            "Shown at the very API that it is for, a bearer token passes until it expires or is"
            " ended: only one bound to its holder's key would not."
        )

    def booker_must_pay(self) -> None:
        self.telling.step(f"booker has to pay, which takes {PERSON}'s own word")
        pay = self.cast.apis["pay"].identifier
        wanted: dict[str, Any] = {"of": "hold", "resource": pay, "scope": PAY, "details": [PAYMENT]}
        self.refused(
            "booker", f"its hold to {PAY}", "scope.needs_approval", "narrow", keep="api", **wanted
        )
        message = "TP1234 on 3 December, seat 14C"
        self.done("booker", "put_question", message=message, **wanted)
        self.telling.outcome(GOOD, f"booker asks {PERSON} for {Payment.of(PAYMENT)}: “{message}”")
        inbox, card = str(self.cast.metadata["approvals_page"]), self.trail.card_of("booker")
        self.in_vain("booker", f"{inbox}/{card}", card)
        self.person.approve(inbox, card)
        patience = self.person.patience
        token = self.token("payment token", "booker", "answered", patience, keep="payment")
        (approved,) = token.claims["authorization_details"]
        if self.person.amount not in (None, approved["amount"]):
            raise NotAsToldError(f"{PERSON} approved {self.person.amount}, and not {approved}")
        self.telling.outcome(GOOD, f"{PERSON} said yes to {Payment.of(approved)}, in her inbox")
        self.call("booker", "pay", "/payments", "payment token", 200, approved)

    def the_yes_is_for_one_payment(self) -> None:
        self.telling.step(f"What {PERSON} approved is for one payment, and for booker alone")
        token = self.held["payment token"]
        (approved,) = token.claims["authorization_details"]
        self.call("booker", "pay", "/payments", "payment token", 401, approved)
        token.is_refused = True
        self.refused(
            SCOUT, "payment token", "subject.not_ours", "take", token=token.value, keep="stolen"
        )
        wanted: dict[str, Any] = {"scope": PAY, "resource": token.claims["aud"]}
        wanted |= {"details": [approved], "of": "api", "keep": "stolen"}
        self.refused(SCOUT, f"its token to {PAY}", "target.beyond_delegation", "narrow", **wanted)
        to = self.cast.client_ids[SCOUT]
        self.refused(
            "booker",
            "payment token",
            "subject.not_ours",
            "hand_over",
            of="payment",
            to=to,
            scope=PAY,
        )

    def the_trip_is_booked(self) -> None:
        self.telling.step(f"The trip is booked: planner says so, and {PERSON} has the last word")
        status = self.done("planner", "propose", of="hold", outcome="completed")["status"]
        if status != "proposed":
            raise NotAsToldError(f"the task is {status}, and nobody has asked {PERSON}")
        self.telling.outcome(GOOD, f"planner says “completed”, and waits for {PERSON}")
        self.refused("planner", "planner's hold", PROPOSED, "renew", of="hold")
        self.refused("booker", "booker's hold", PROPOSED, "renew", of="hold")
        self.call("booker", "flights", "/flights", "flights token", 401)
        self.telling.aside(f"Until {PERSON} answers, nothing that hangs on the task is good.")

    def ana_accepts(self) -> None:
        self.telling.step(f"{PERSON} accepts that it is over")
        task = self.held["planner's hold"].claims["task_id"]
        self.person.accept(_page(self.cast), task)
        if not self.trail.has_happened("task.ended", task):
            raise NotAsToldError(f"{PERSON} let planner go on")
        self.telling.outcome(GOOD, "the task has ended, and the whole tree with it")

    def every_token_is_refused(self) -> None:
        self.telling.step("Every token below is refused at the next call")
        for agent, api, path, name in (
            ("planner", "calendar", "/events", "calendar token"),
            ("booker", "flights", "/flights", "flights token"),
            (SCOUT, "flights", "/flights", f"{SCOUT}'s token"),
        ):
            self.call(agent, api, path, name, 401)
            self.held[name].is_refused = True
        self.refused_for_good("planner", "planner's hold", "delegation.ended", "renew", of="hold")
        self.refused_for_good("booker", "booker's hold", "delegation.ended", "renew", of="hold")
        self.taken_in_vain("booker", "hand-over to booker", "delegation.ended")
        self.taken_in_vain(SCOUT, f"hand-over to {SCOUT}", "client.not_active")
        self.telling.aside(f"{SCOUT} is retired with the task that it was spawned in.")
        self.telling.tree(PERSON, list(self.held.values()))
        left = [token.name for token in self.held.values() if not token.is_refused]
        if left:
            raise NotAsToldError(f"nobody has tried {', '.join(left)}")

    def the_receipt_is_good(self) -> None:
        self.telling.step("The task leaves a receipt, which the public keys alone check")
        task = self.held["planner's hold"].claims["task_id"]
        good, whose, proved, *_ = check_receipt(self.trail.folder, self.cast.issuer, task)
        self.telling.outcome(GOOD, good)
        self.telling.line(f"  {whose}")
        self.telling.line(f"  {proved}")

    def a_changed_byte_is_found(self) -> None:
        self.telling.step("A byte of the trail is changed, in a copy of the database")
        found = find_a_changed_byte(self.trail.folder, self.trail.newest_of("booker"))
        self.telling.outcome(BAD, f"deputize audit verify: {found.removeprefix('✕ ')}")
