"""RFC 9396: what is asked for in more than a word, and never had but within what was granted."""

import html
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from deputize.approvals.decide import Outcome
from deputize.catalogue.models import Scope
from deputize.core.refusal import Refusal
from deputize.endings.edit_catalogue import (
    declare_details_type,
    declare_scope,
    retire_details_type,
)
from deputize.host import Authentication, PersonToken
from support.agents_http import Agent, decode, discover, outcome, pkce
from support.asking import Asking
from support.details import FOLDERS, PAYMENT, declare, folders, payment, spelled
from support.request_object import request_object, send
from support.world import CALENDAR, CALLBACK, PAY, World, authorize_url

pytestmark = pytest.mark.section("RFC 9396", "2, 5, 6, 7, 9, 10")

INVALID = (400, "invalid_authorization_details")
ASKED = "calendar:read files:read pay:order"


@pytest.fixture(scope="module")
def planner(world: World) -> Agent:
    return world.agent("planner")


@pytest.fixture(scope="module")
def reading(world: World) -> str:
    """A hold on two folders."""
    details = spelled(folders("trips", "work"), folders("bills", size=[1, 50]))
    return world.hold(scope=ASKED, authorization_details=details)


def details_of(answer: Any) -> Any:
    """Return what a token response says it holds, which is what its token says."""
    body = answer.json()
    claims = decode(body["access_token"])[1]
    assert body.get("authorization_details") == claims.get("authorization_details")
    return body.get("authorization_details")


class TestTheParameter:
    """§2, §5"""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{}",
            "[]",
            "payment",
            "[1]",
            '[{"amount": "1"}]',
            '[{"type": 1}]',
            '[{"type": "unknown"}]',
            '[{"type": "payment"}]',
            spelled(payment(amount=420)),
            spelled(payment(amount="-1")),
            spelled(payment(amount="1e3")),
            spelled(payment(amount="٤٢٠")),
            spelled(payment(currency="XXX")),
            spelled(payment(more="x")),
            spelled(payment(creditor="x\x00")),
            '[{"type": "folders", "folders": ["\\ud800"]}]',
            '[{"type": "folders", "folders": [1.5]}]',
            '[{"type": "folders", "folders": [NaN]}]',
            '[{"type": "folders", "folders": ["a"], "size": [5, 1, 2]}]',
            '[{"type": "folders", "type": "folders", "folders": ["a"]}]',
            '[{"type": "folders", "folders": ' + "[" * 60 + "]" * 60 + "}]",
            "[" * 5000,
            spelled(*[folders(str(number)) for number in range(21)]),
        ],
        ids=lambda text: text[:50],
    )
    def test_what_is_none_is_refused(self, buying: Asking, text: str) -> None:
        assert outcome(buying.ask(authorization_details=text)) == INVALID
        assert buying.cards() == []

    @pytest.mark.parametrize(
        "creditor",
        [
            "Airline \u202eX",
            "Airline\u200b X",
            "Airline X\ufeff",
            "Airline\u00a0X",
            "Airline  X",
            " Airline X",
            "Airline X\nand nobody else",
            "Airline\u3164X",
            "Airline X\U000e0041",
            "\u0301Airline X",
            "x" + "\u0336" * 9,
        ],
        ids=ascii,
    )
    def test_what_reads_as_something_else_is_put_to_nobody(
        self, buying: Asking, creditor: str
    ) -> None:
        details = spelled(payment(creditor=creditor))
        assert outcome(buying.ask(authorization_details=details)) == INVALID
        assert buying.cards() == []

    @pytest.mark.parametrize("creditor", ['Caf\u00e9 "X"', "Cafe\u0301", "محمد", "株式会社"])
    def test_what_is_seen_as_it_is_is_asked(self, buying: Asking, creditor: str) -> None:
        buying.asked(authorization_details=spelled(payment(creditor=creditor)))
        assert buying.cards()[0].details[0]["creditor"] == creditor

    def test_what_would_be_cut_off_is_put_to_nobody(self, asking: Asking) -> None:
        asked = {"scope": "openid files:read", "resource": CALENDAR}
        hidden = spelled(folders(*[f"holiday-{n}" for n in range(19)], "passwords"))
        assert outcome(asking.ask(**asked, authorization_details=hidden)) == INVALID
        shown = spelled(folders(*[f"holiday-{n}" for n in range(9)], "passwords"))
        asking.asked(**asked, authorization_details=shown)
        page = asking.world.browser(asking.person).get(asking.world.metadata["approvals_page"])
        assert "holiday-8, passwords</bdi>" in page.text

    def test_its_types_are_advertised(self, world: World) -> None:
        types = discover(world.url)["authorization_details_types_supported"]
        assert types == ["folders", "payment"]


class TestConsent:
    """§4: the person is told in words, and what is consented is what the tree holds."""

    def test_the_page_says_what_they_mean(self, world: World) -> None:
        details = spelled(folders("trips", "work <b>"))
        url = authorize_url(
            world.metadata, "planner", pkce()[1], scope=ASKED, authorization_details=details
        )
        page = world.browser().get(url).text
        assert "Read <bdi>trips, work &lt;b&gt;</bdi>" in page
        assert re.search(r"Pay for orders <small>asks you each time", page)

    def test_what_was_ticked_is_held(self, world: World, reading: str) -> None:
        claims = decode(reading)[1]
        assert claims["scope"] == "calendar:read files:read"
        assert [d["folders"] for d in claims["authorization_details"]] == [
            ["bills"],
            ["trips", "work"],
        ]

    def test_a_line_that_is_not_ticked_takes_its_details_with_it(self, world: World) -> None:
        answer = world.consent(
            scope=ASKED, authorization_details=spelled(folders("a")), untick=("files:read",)
        )
        assert details_of(answer) is None
        assert answer.json()["scope"] == "calendar:read"

    def test_a_bound_scope_is_not_granted_without_a_detail(self, world: World) -> None:
        assert world.consent(scope=ASKED).json()["scope"] == "calendar:read"

    def test_a_payment_is_never_consented_to_beforehand(self, world: World) -> None:
        answer = world.consent(scope=ASKED, authorization_details=spelled(payment()))
        assert answer.json()["scope"] == "calendar:read"
        assert details_of(answer) is None


class TestExchange:
    """§6: an injective match into the parent's, each within its match."""

    def test_left_out_they_are_inherited(self, planner: Agent, reading: str) -> None:
        answer = planner.exchange(reading, resource=CALENDAR)
        assert details_of(answer) == decode(reading)[1]["authorization_details"]

    @pytest.mark.parametrize(
        "asked",
        [
            [folders("trips")],
            [folders("trips"), folders("bills", size=[2, 50])],
            [folders(size=[1, 50]), folders("work", "trips")],
        ],
    )
    def test_less_is_given(self, planner: Agent, reading: str, asked: Any) -> None:
        answer = planner.exchange(
            reading, resource=CALENDAR, scope="files:read", authorization_details=spelled(*asked)
        )
        assert sorted(details_of(answer), key=str) == sorted(asked, key=str)

    @pytest.mark.parametrize(
        "asked",
        [
            [folders("secrets")],
            [folders("trips", "secrets")],
            [folders("trips"), folders("work")],
            [folders("bills")],
            [folders("bills", size=[0, 50])],
            [folders("bills", size=[60, 40])],
            [folders("trips", colour="red")],
            [payment()],
        ],
    )
    def test_more_is_refused(self, world: World, planner: Agent, reading: str, asked: Any) -> None:
        answer = world.refused(
            planner.exchange,
            reading,
            resource=CALENDAR,
            scope="files:read",
            authorization_details=spelled(*asked),
        )
        assert answer[:2] == INVALID

    def test_details_without_their_scope_are_refused(self, planner: Agent, reading: str) -> None:
        answer = planner.exchange(
            reading,
            resource=CALENDAR,
            scope="calendar:read",
            authorization_details=spelled(folders("trips")),
        )
        assert outcome(answer) == INVALID

    def test_what_was_narrowed_stays_narrow(
        self, world: World, planner: Agent, reading: str
    ) -> None:
        """Through a hand-over too: the other agent gets the folder and no other."""
        given = planner.exchange(
            reading,
            audience="booker",
            scope="files:read",
            authorization_details=spelled(folders("trips")),
        )
        booker = world.agent("booker")
        token = given.json()["access_token"]
        taken = booker.exchange(token, resource=CALENDAR)
        assert details_of(taken) == [folders("trips")]
        more = spelled(folders("work"))
        refused = booker.exchange(token, resource=CALENDAR, authorization_details=more)
        assert outcome(refused) == INVALID

    def test_the_same_request_is_the_same_node(self, planner: Agent, reading: str) -> None:
        asked = {"resource": CALENDAR, "scope": "files:read"}
        first = planner.exchange(
            reading, authorization_details=spelled(folders("work")), **asked
        ).json()["access_token"]
        again = planner.exchange(
            reading, authorization_details='[{"folders":["work"],"type":"folders"}]', **asked
        ).json()["access_token"]
        assert decode(first)[1]["delegation_id"] == decode(again)[1]["delegation_id"]

    def test_introspection_tells_them(self, world: World, planner: Agent, reading: str) -> None:
        token = planner.exchange(reading, resource=CALENDAR).json()["access_token"]
        told = world.api().introspect(token).json()
        assert told["authorization_details"] == decode(token)[1]["authorization_details"]


class TestApproval:
    """§7, and the profile's §5: a payment is granted by the person, one at a time."""

    def test_the_card_says_what_it_means(self, buying: Asking) -> None:
        buying.asked(authorization_details=spelled(payment(creditor="Airline X <i>")))
        page = buying.world.browser(buying.person).get(buying.world.metadata["approvals_page"])
        assert "<h2>Pay <bdi>€</bdi><bdi>420.00</bdi> to <bdi>Airline X &lt;i&gt;</bdi></h2>" in (
            page.text
        )

    def test_the_token_holds_what_was_approved(self, buying: Asking) -> None:
        asked = buying.asked()
        buying.say_yes()
        answer = buying.poll(asked)
        assert details_of(answer) == [payment()]
        told = buying.world.api("pay-api").introspect(answer.json()["access_token"]).json()
        assert told["authorization_details"] == [payment()]

    def test_a_lower_amount_is_what_the_client_gets(self, buying: Asking) -> None:
        asked = buying.asked()
        assert buying.say_yes(details=(payment("400.5"),)) == Outcome.DONE
        assert details_of(buying.poll(asked)) == [payment("400.5")]

    @pytest.mark.parametrize(
        "details",
        [
            (payment("420.01"),),
            (payment(), payment("1")),
            (payment(creditor="Mallory"),),
            (folders("trips"),),
        ],
    )
    def test_more_than_was_asked_is_no_yes(self, buying: Asking, details: Any) -> None:
        buying.asked()
        with pytest.raises(Refusal):
            buying.say_yes(details=details)

    def test_without_a_detail_nobody_is_asked(self, buying: Asking) -> None:
        assert outcome(buying.ask(authorization_details=None)) == INVALID

    def test_the_scope_need_not_be_named_beside_its_detail(self, buying: Asking) -> None:
        asked = buying.asked(scope="openid")
        buying.say_yes()
        assert buying.poll(asked).json()["scope"] == "pay:order"

    def test_an_exchange_asks_for_it_too(self, buying: Asking) -> None:
        same = {
            "resource": PAY,
            "scope": "pay:order",
            "authorization_details": spelled(payment()),
            "binding_message": "TP1234",
        }
        answer = buying.agent.exchange(buying.hold, **same)
        assert outcome(answer) == (400, "authorization_pending")
        buying.say_yes()
        assert details_of(buying.poll(answer.json()["auth_req_id"])) == [payment()]

    def test_another_amount_is_another_question(self, buying: Asking) -> None:
        buying.asked()
        buying.asked(authorization_details=spelled(payment("1")))
        assert len(buying.cards()) == 2

    @pytest.mark.parametrize("params", [{"scope": "pay:order"}, {}])
    def test_what_is_used_up_passes_no_exchange(self, buying: Asking, params: Any) -> None:
        """V5, though the scope is one that may be passed on."""
        asked = buying.asked()
        buying.say_yes()
        elevated = buying.poll(asked).json()["access_token"]
        answer = buying.agent.exchange(elevated, resource=PAY, **params)
        assert outcome(answer)[1] in ("invalid_authorization_details", "invalid_scope")
        answer = buying.agent.exchange(
            elevated, resource=PAY, scope="pay:order", authorization_details=spelled(payment("1"))
        )
        assert outcome(answer) == INVALID

    def test_more_of_what_is_held_is_asked_for_by_its_details(self, buying: Asking) -> None:
        """Beyond what the subject granted, the subject always approves."""
        buying.hold = buying.world.hold(
            "planner", buying.person, scope=ASKED, authorization_details=spelled(folders("a"))
        )
        more = {"resource": CALENDAR, "scope": "openid files:read"}
        held = spelled(folders("a"))
        assert outcome(buying.ask(**more, authorization_details=held)) == (400, "invalid_scope")
        asked = buying.asked(**more, authorization_details=spelled(folders("b")))
        buying.say_yes()
        assert details_of(buying.poll(asked)) == [folders("b")]


class TestTheInbox:
    def test_the_person_lowers_the_amount(self, buying: Asking) -> None:
        asked = buying.asked()
        browser, form = form_of(buying)
        assert form["amount-0-amount"] == "420.00"
        form |= {"decision": "approve", "amount-0-amount": " 99.90 "}
        assert browser.post(form.pop("action"), data=form).status_code == 303
        assert details_of(buying.poll(asked)) == [payment("99.90")]
        page = browser.get(buying.world.metadata["approvals_page"]).text
        assert "you said yes to less" in page
        assert "<bdi>99.90</bdi>" in page

    @pytest.mark.parametrize("amount", ["421", "-1", "", "1e2", "four", "4,20", "9" * 500])
    def test_what_is_no_lower_amount_grants_nothing(self, buying: Asking, amount: str) -> None:
        asked = buying.asked()
        browser, form = form_of(buying)
        form |= {"decision": "approve", "amount-0-amount": amount}
        shown = browser.post(form.pop("action"), data=form, follow_redirects=True)
        assert "Nothing was granted." in shown.text
        assert outcome(buying.poll(asked)) == (400, "authorization_pending")


class TestTheApprovalApi:
    def test_it_lists_and_takes_details(self, buying: Asking) -> None:
        world = buying.world
        asked = buying.asked()
        person = world.host.people[buying.person]
        told = Authentication(1_764_000_000, "pwd", ("pwd",))
        world.host.tokens[buying.person] = PersonToken(
            person, "webapp", frozenset({"approvals"}), told
        )
        browser = world.browser(None)
        browser.headers["Authorization"] = f"Bearer {buying.person}"
        (card,) = browser.get("/deputize/api/approvals").json()
        assert card["authorization_details"] == [payment()]
        url = f"/deputize/api/approvals/{card['id']}"
        word = {"decision": "approve", "content_hash": card["content_hash"]}
        for wrong in ("x", [1], [payment("500")], [payment(amount=1.5)]):
            answer = browser.post(url, json=word | {"authorization_details": wrong})
            assert answer.status_code == 400, wrong
        answer = browser.post(url, json=word | {"authorization_details": [payment("5")]})
        assert answer.status_code == 200, answer.text
        assert details_of(buying.poll(asked)) == [payment("5")]


class TestWhenTheCatalogueChanges:
    """Any edit that shrinks takes what no longer fits out of what it touches."""

    @pytest.fixture(autouse=True)
    def as_ever(self, world: World) -> Any:
        yield
        declare(world)

    def test_a_type_that_goes_takes_its_scope_along(self, world: World, planner: Agent) -> None:
        hold = world.hold(scope=ASKED, authorization_details=spelled(folders("a")))
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        retire_details_type(world.context.db, "folders")
        told = world.api().introspect(token).json()
        assert told["scope"] == "calendar:read"
        assert "authorization_details" not in told

    def test_a_schema_that_tightens_takes_out_what_is_not_so(
        self, world: World, planner: Agent
    ) -> None:
        details = spelled(folders("a"), folders("b", size=[1, 2]))
        hold = world.hold(scope=ASKED, authorization_details=details)
        token = planner.exchange(hold, resource=CALENDAR).json()["access_token"]
        schema = json.dumps({"type": "object", "required": ["size"]})
        declare_details_type(world.context.db, replace(FOLDERS, schema=schema))
        told = world.api().introspect(token).json()
        assert told["authorization_details"] == [folders("b", size=[1, 2])]

    def test_a_code_that_waits_is_not_widened(self, world: World) -> None:
        verifier, challenge = pkce()
        code = world.code(challenge, scope=ASKED, authorization_details=spelled(folders("a")))
        retire_details_type(world.context.db, "folders")
        answer = world.agent("planner").post(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=verifier,
        )
        assert outcome(answer) == (400, "invalid_grant")

    def test_an_approval_that_waits_is_not_widened(self, buying: Asking) -> None:
        asked = buying.asked()
        buying.say_yes()
        retire_details_type(buying.world.context.db, "payment")
        assert outcome(buying.poll(asked)) == (400, "access_denied")

    def test_nor_by_a_type_that_binds_another_scope_by_now(self, buying: Asking) -> None:
        asked = buying.asked()
        buying.say_yes()
        another_scope(buying.world)
        assert outcome(buying.poll(asked)) == (400, "access_denied")

    @pytest.mark.parametrize("edit", ["retired", "moved"])
    def test_what_was_on_the_page_is_not_widened_by_the_press(
        self, buying: Asking, edit: str
    ) -> None:
        asked = buying.asked()
        browser, form = form_of(buying)
        if edit == "moved":
            another_scope(buying.world)
        else:
            retire_details_type(buying.world.context.db, "payment")
        answer = browser.post(form.pop("action"), data=form | {"decision": "approve"})
        page = browser.get(answer.headers["Location"]).text
        assert "Nothing was granted. This is not to be had any more" in page
        assert outcome(buying.poll(asked)) == (400, "authorization_pending")

    def test_a_lower_amount_is_never_left_out(self, buying: Asking) -> None:
        asked = buying.asked()
        browser, form = form_of(buying)
        fixed = replace(PAYMENT, compare="{}", consumable=None)
        declare_details_type(buying.world.context.db, fixed)
        lower = form | {"amount-0-amount": "100.00", "decision": "approve"}
        answer = browser.post(lower.pop("action"), data=lower)
        assert "why=details.unknown" in answer.headers["Location"]
        assert outcome(buying.poll(asked)) == (400, "authorization_pending")


def another_scope(world: World) -> None:
    """Let a payment bind another scope than it did."""
    declare_scope(world.context.db, Scope("pay:other", PAY, "Pay otherwise"))
    declare_details_type(world.context.db, replace(PAYMENT, scope="pay:other"))


def form_of(asking: Asking) -> tuple[Any, dict[str, Any]]:
    browser = asking.world.browser(asking.person)
    page = browser.get(asking.world.metadata["approvals_page"]).text
    card = re.search(r'<form class="card deciding".*?</form>', page, re.DOTALL)
    assert card is not None
    fields = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', card[0])
    }
    action = re.search(r'action="([^"]*)"', card[0])
    assert action is not None
    return browser, fields | {"action": html.unescape(action[1])}


@pytest.mark.parametrize("as_text", [False, True])
def test_a_signed_request_holds_them_as_an_array_or_as_text(buying: Asking, as_text: bool) -> None:
    """CIBA Core §7.1.1: all that is asked is in the JWT."""
    details = [payment("120.00")]
    said: Any = spelled(*details) if as_text else details
    signed = request_object(buying, scope="openid pay:order", authorization_details=said)
    assert outcome(send(buying, signed)) == (200, "none")
    (card,) = buying.cards()
    assert [detail["amount"] for detail in card.details] == ["120.00"]


@pytest.mark.parametrize(
    "said", [7, {}, [], [7], [float("nan")], [{"type": "payment", "n": 2**60}]]
)
def test_and_what_is_wrong_with_them_there_is_told_as_ever(buying: Asking, said: Any) -> None:
    signed = request_object(buying, scope="openid pay:order", authorization_details=said)
    status, error = outcome(send(buying, signed))
    assert (status, error) in ((400, "invalid_request"), (400, "invalid_authorization_details"))
