"""An agent asks in the middle of its task; Ana reads, says yes, less, no, or stops it, and the
agent gets exactly that.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from idp.browser import PASSWORD
from pages.hands import Hands
from pages.house import House
from pages.states import AGENTS, APPROVALS, PAYING, Visit
from support.agents_http import decode, outcome
from support.asking import Asking
from support.details import payment

MINUTE = 60
PAST_THE_INTERVAL = 6


@pytest.fixture
def visit(house: House, hands: Hands, ana: str) -> Visit:
    return Visit(house, hands.page, ana)


@pytest.fixture
def look(house: House, hands: Hands, ana: str) -> Callable[[], Page]:
    """Go to the inbox; the host asks to sign in on the way."""

    def look() -> Page:
        hands.page.goto(f"{house.url}{APPROVALS}")
        hands.fill("User name", ana)
        hands.fill("Password", PASSWORD)
        hands.press("Sign in")
        assert hands.page.url == f"{house.url}{APPROVALS}"
        return hands.page

    return look


def words(of: Page | Locator) -> str:
    main = of.locator("main") if isinstance(of, Page) else of
    return " ".join((main.text_content() or "").split())


def waits(asking: Asking, auth_req_id: str) -> bool:
    asking.world.pass_time(PAST_THE_INTERVAL)
    return outcome(asking.poll(auth_req_id)) == (400, "authorization_pending")


class TestReading:
    @pytest.fixture
    def card(self, visit: Visit, look: Callable[[], Page]) -> Locator:
        visit.booker_asks()
        return look().locator("form.card")

    def test_says_what_will_happen_and_who_asks_through_whom(self, card: Locator) -> None:
        expect(card.get_by_role("heading", level=2)).to_have_text("Pay €420.00 to Airline X")
        assert card.locator(".chain li").all_text_contents() == ["You", "planner", "booker"]
        expect(card.locator(".chain .last")).to_have_text("booker")
        weights = card.locator(".chain li").evaluate_all(
            "all => all.map(it => Number(getComputedStyle(it).fontWeight))"
        )
        assert weights[2] > weights[0] == weights[1]

    def test_quotes_each_agent_under_its_own_name(self, card: Locator) -> None:
        assert [words(it) for it in card.locator("figure").all()] == [
            "booker says “TP1234, 3 December, seat 14C”",
            "The task, in the words of planner “Book the Lisbon trip, 3–6 December”",
        ]

    def test_says_what_it_holds_what_this_adds_and_for_how_long(self, card: Locator) -> None:
        said = words(card)
        assert (
            "It already holds Search flights at flights.example Start helpers of its own"
            " This adds Pay €420.00 to Airline X at pay.example" in said
        )
        assert "Only booker can use it. It can't be passed on." in said
        assert re.search(r"you can decide for 5 minutes \(24 November 2026, 09:2\d UTC\)", said)
        expect(card.get_by_label("If you approve, it lasts")).to_have_value(str(5 * MINUTE))

    def test_makes_no_as_easy_as_yes(self, card: Locator) -> None:
        deny, approve = (
            card.get_by_role("button", name=name, exact=True).bounding_box()
            for name in ("Deny", "Approve")
        )
        assert deny is not None
        assert approve is not None
        assert (deny["width"], deny["height"], deny["y"]) == pytest.approx(
            (approve["width"], approve["height"], approve["y"]), abs=1
        )


class TestDeciding:
    def test_yes_gives_booker_what_the_card_said(
        self, house: House, visit: Visit, hands: Hands, look: Callable[[], Page], ana: str
    ) -> None:
        asking = visit.booker_asks()
        again = asking.asked(
            binding_message="TP1234, 3 December, seat 14C", authorization_details=PAYING
        )
        page = look()
        expect(page.locator("form.card")).to_have_count(1)
        assert waits(asking, again)
        hands.press("Approve")
        assert "Nothing waits for you." in words(page)
        assert "you said yes just now" in words(page)
        assert "not used yet" in words(page)

        house.pass_time(PAST_THE_INTERVAL)
        token = asking.poll(again).raise_for_status().json()["access_token"]
        claims = decode(token)[1]
        assert (claims["sub"], claims["scope"]) == (house.key_of(ana), "pay:transfer")
        assert house.is_active(token, "pay-api")
        page.reload()
        assert "good for 5 minutes" in words(page)
        hands.follow("Stop booker")
        hands.press("Stop booker")
        assert not house.is_active(token, "pay-api")
        page.goto(f"{house.url}{APPROVALS}")
        assert "over now" in words(page)

    def test_less_gives_planner_less_for_a_shorter_time(
        self, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking, asked = visit.planner_asks()
        page = look()
        expect(page.get_by_role("heading", level=2).first).to_have_text(
            "Read your calendar and add and change entries in your calendar"
        )
        hands.untick("Add and change entries")
        hands.choose("If you approve, it lasts", "at most 2 minutes")
        hands.press("Approve")
        told = asking.poll(asked).raise_for_status().json()
        assert told["scope"] == "calendar:read"
        assert told["expires_in"] <= 2 * MINUTE
        assert decode(told["access_token"])[1]["scope"] == "calendar:read"
        expect(page.locator(".decided h3")).to_have_text("Read your calendar")
        assert "you said yes to less just now" in words(page)

    def test_a_lower_amount_is_what_booker_may_pay(
        self, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking = visit.booker_asks()
        asked = asking.asked(
            binding_message="TP1234, 3 December, seat 14C", authorization_details=PAYING
        )
        page = look()
        assert "Amount EUR, at most 420.00" in words(page)
        hands.fill("Amount", "400.00")
        hands.press("Approve")
        told = asking.poll(asked).raise_for_status().json()
        assert told["authorization_details"] == [payment("400.00")]
        expect(page.locator(".decided h3")).to_have_text("Pay €400.00 to Airline X")
        assert "you said yes to less just now" in words(page)

    def test_a_higher_amount_asks_again(
        self, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        visit.booker_asks()
        page = look()
        hands.fill("Amount", "421")
        hands.press("Approve")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was granted.")
        expect(page.get_by_label("Amount")).to_have_value("420.00")

    def test_yes_to_nothing_asks_again(
        self, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking, asked = visit.planner_asks()
        page = look()
        hands.untick("Read your calendar")
        hands.untick("Add and change entries")
        hands.press("Approve")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was granted. Tick at least one")
        assert waits(asking, asked)

    def test_no_tells_booker_no_and_leaves_it_at_work(
        self, house: House, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking = visit.booker_asks()
        asked = asking.asked(
            binding_message="TP1234, 3 December, seat 14C", authorization_details=PAYING
        )
        page = look()
        hands.press("Deny")
        assert "you said no just now" in words(page)
        assert outcome(asking.poll(asked)) == (400, "access_denied")
        assert asking.agent.introspect(asking.hold).json()["active"] is True

    def test_no_and_stop_ends_booker_withdraws_its_other_questions_and_spares_planner(
        self, house: House, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking = visit.booker_asks()
        page = look()
        meanwhile = asking.asked(binding_message="A second ticket", authorization_details=PAYING)
        hands.press("Deny and stop booker")
        assert outcome(asking.poll(meanwhile)) == (400, "access_denied")
        assert asking.agent.introspect(asking.hold).json() == {"active": False}
        late = page.locator(".late")
        assert "“A second ticket”" in words(late)
        assert "withdrawn, because what it hung on has ended" in words(late)
        page.goto(f"{house.url}{AGENTS}")
        chains = page.locator(".node.active .chain")
        assert [words(chain) for chain in chains.all()] == ["You planner"]


class TestTooLate:
    def test_a_yes_that_nobody_came_for_comes_to_nothing(
        self, house: House, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking, asked = visit.planner_asks()
        page = look()
        hands.press("Approve")
        expect(page.locator(".decided .state")).to_contain_text("waiting")
        with house.later(5 * MINUTE + 1):
            assert outcome(asking.poll(asked)) == (400, "expired_token")
            page.reload()
            expect(page.locator(".decided .state")).to_contain_text("ended")
            assert "never used" in words(page)

    def test_the_card_keeps_its_text_and_loses_its_presses(
        self, house: House, visit: Visit, look: Callable[[], Page]
    ) -> None:
        visit.booker_asks()
        page = look()
        with house.later(5 * MINUTE + 1):
            page.reload()
            late = page.locator(".late")
            for text in (
                "Pay €420.00",
                "TP1234, 3 December, seat 14C",
                "pay.example",
                "expired just now",
            ):
                assert text in words(late)
            expect(late.locator("button, input, select, form")).to_have_count(0)
            assert "Nothing was granted." in words(page)
        with house.later(66 * MINUTE):
            page.reload()
            expect(page.locator(".late")).to_have_count(0)

    def test_what_is_pressed_all_the_same_grants_nothing(
        self, house: House, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        asking, asked = visit.planner_asks()
        page = look()
        with house.later(5 * MINUTE + 1):
            hands.press("Approve")
            assert "This can't be decided any more" in words(page)
            assert "Nothing was granted." in words(page)
            assert outcome(asking.poll(asked)) == (400, "expired_token")
            hands.follow("What agents ask you")
            assert "Nothing waits for you." in words(page)


class TestFindingTheWay:
    def test_from_who_acts_to_what_waits_and_back(
        self, house: House, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        visit.booker_asks()
        page = look()
        hands.follow("Agents acting for me")
        assert "What agents ask you ◐ 1 waiting" in words(page)
        hands.follow("What agents ask you")
        assert page.url == f"{house.url}{APPROVALS}"
        hands.press("Deny")
        hands.follow("Agents acting for me")
        assert "waiting" not in words(page)

    def test_stopping_an_agent_says_what_is_withdrawn(
        self, visit: Visit, hands: Hands, look: Callable[[], Page]
    ) -> None:
        visit.booker_asks()
        page = look()
        hands.follow("Agents acting for me")
        hands.follow("Stop booker")
        assert "This stops booker. 1 waiting approval is withdrawn." in words(page)
