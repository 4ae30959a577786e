"""Ana leaves her inbox open: what is asked meanwhile comes in, what is over can't be pressed, and
what she is in the middle of stays as it is under her hands.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect

from idp.browser import PASSWORD
from pages.house import House
from pages.looking import DESK, PHONE, Watched
from pages.states import APPROVALS, Visit
from pages.test_deciding_what_agents_ask import words
from support.agents_http import outcome
from support.asking import Asking
from support.world import CALENDAR

EVERY = 5_000  # milliseconds, of the browser's clock
MINUTE = 60


@pytest.fixture
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    window = {"width": 1000, "height": 800}
    with chromium.new_context(viewport=window, reduced_motion="reduce") as browser:
        browser.clock.install()
        yield browser


@pytest.fixture
def visit(house: House, browser: BrowserContext, ana: str) -> Visit:
    return Visit(house, browser.new_page(), ana)


@pytest.fixture
def page(visit: Visit) -> Page:
    """The inbox, left open with nothing in it."""
    visit.inbox()
    expect(visit.page.get_by_text("Nothing waits for you.")).to_be_visible()
    visit.page.mouse.move(0, 0)
    return visit.page


@contextmanager
def other_tab(page: Page, path: str = APPROVALS) -> Iterator[Page]:
    tab = page.context.new_page()
    tab.goto(page.url.replace(APPROVALS, path))
    yield tab
    tab.close()


def ask_again(page: Page) -> int:
    """Let the time pass after which the page asks; return the status of the answer."""
    with page.expect_response(lambda answer: answer.url == page.url) as answer:
        page.clock.fast_forward(EVERY)
    return int(answer.value.status)


def top_of(what: Locator) -> float:
    return float(what.evaluate("it => it.getBoundingClientRect().top"))


def requests_of(page: Page) -> list[Request]:
    """Return the list that its requests are added to from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    return sent


def title(page: Page) -> Locator:
    return page.locator("form.card h2")


def siblings_of(visit: Visit) -> tuple[Asking, Asking]:
    """Return two helpers of planner's that may ask for the same."""
    house = visit.house
    hold = house.hold(person=visit.person)

    def helper() -> Asking:
        name = house.spawn("planner", hold, "calendar:read calendar:write")
        taken = house.hand_over(hold, "planner", name, "calendar:read")
        return Asking(house, house.agent(name), taken, visit.person)

    return helper(), helper()


def ask_for_the_calendar(asking: Asking, later: int = 0) -> None:
    with asking.world.later(later):
        asking.asked(scope="openid calendar:write", resource=CALENDAR)


class TestWhatComesIn:
    def test_a_new_card_is_there_is_said_and_is_counted(self, visit: Visit, page: Page) -> None:
        asking, asked = visit.planner_asks()
        ask_again(page)
        expect(title(page)).to_have_text(
            "Read your calendar and add and change entries in your calendar"
        )
        expect(page.get_by_role("status")).to_have_text(
            "A new question: Read your calendar and add and change entries in your calendar."
        )
        expect(page).to_have_title("(1) What agents ask you · Example Bank")
        expect(page.get_by_text("Nothing waits for you.")).to_have_count(0)
        visit.hands.press("Approve")
        assert asking.poll(asked).json()["scope"] == "calendar:read calendar:write"

    def test_it_comes_after_those_that_are_there(self, visit: Visit, page: Page) -> None:
        visit.planner_asks()
        ask_again(page)
        expect(title(page)).to_have_count(1)
        visit.booker_asks()
        ask_again(page)
        expect(title(page).last).to_have_text("Pay €420.00 to Airline X")
        expect(page).to_have_title("(2) What agents ask you · Example Bank")

    def test_the_time_that_is_left_stays_true(self, visit: Visit) -> None:
        visit.booker_asks()
        visit.inbox()
        page = visit.page
        expect(page.locator(".why")).to_contain_text("you can decide for 5 minutes")
        with visit.house.later(2 * MINUTE):
            ask_again(page)
            expect(page.locator(".why")).to_contain_text("you can decide for 3 minutes")

    def test_nothing_is_sent_where_nothing_has_changed(self, page: Page) -> None:
        assert ask_again(page) == 200
        assert ask_again(page) == 304


class TestWhatIsOver:
    def test_what_was_decided_in_another_tab_cannot_be_pressed(
        self, visit: Visit, page: Page
    ) -> None:
        asking, asked = visit.planner_asks()
        ask_again(page)
        card = page.locator("form.card")
        with other_tab(page) as tab:
            Visit(visit.house, tab, visit.person).hands.press("Deny")
        ask_again(page)
        expect(card.locator(".why")).to_contain_text("you said no just now")
        expect(card.locator(".state")).to_contain_text("refused")
        for press in card.get_by_role("button").all():
            expect(press).to_be_disabled()
        expect(page).to_have_title("What agents ask you · Example Bank")
        sent = requests_of(page)
        card.get_by_role("button", name="Approve").click(force=True)
        card.get_by_role("button", name="Approve").press("Enter")
        assert ask_again(page) == 304
        assert [request.method for request in sent] == ["GET"]
        assert outcome(asking.poll(asked)) == (400, "access_denied")

    def test_a_card_that_has_expired_keeps_its_text_and_its_place(
        self, visit: Visit, page: Page
    ) -> None:
        visit.booker_asks()
        with visit.house.later(4 * MINUTE):
            visit.planner_asks()
            ask_again(page)
            expect(title(page)).to_have_count(2)
        below = page.locator("form.card").last.bounding_box()
        with visit.house.later(6 * MINUTE):
            ask_again(page)
            card = page.locator("form.card").first
            expect(card.locator(".why")).to_contain_text("expired 1 minute ago")
            expect(card.get_by_role("button", name="Approve", exact=True)).to_be_disabled()
            assert "TP1234, 3 December, seat 14C" in words(card)
            expect(page.locator(".late")).to_have_count(0)
            assert page.locator("form.card").last.bounding_box() == below
            page.reload()
            expect(page.locator(".late .why")).to_contain_text("expired 1 minute ago")
            expect(page.locator("form.card")).to_have_count(1)

    def test_a_card_that_is_nowhere_any_more_says_so(self, visit: Visit, page: Page) -> None:
        visit.planner_asks()
        ask_again(page)
        expect(title(page)).to_have_count(1)
        with visit.house.later(66 * MINUTE):
            ask_again(page)
            expect(page.locator(".why")).to_have_text("this can't be decided any more")
        expect(page.get_by_role("status")).to_contain_text("this can't be decided any more.")
        expect(page.get_by_role("button", name="Approve")).to_be_disabled()

    def test_what_was_decided_stands_below_as_soon_as_it_has_come_to_something(
        self, visit: Visit
    ) -> None:
        asking, asked = visit.planner_asks()
        visit.inbox()
        visit.hands.press("Approve")
        page = visit.page
        expect(page.locator(".decided")).to_contain_text("not used yet")
        asking.poll(asked).raise_for_status()
        ask_again(page)
        expect(page.locator(".decided")).to_contain_text("good for 5 minutes")


class TestInTheMiddle:
    def test_a_card_that_is_edited_stays_and_tells_the_time(self, visit: Visit, page: Page) -> None:
        visit.booker_asks()
        ask_again(page)
        amount = page.get_by_label("Amount")
        amount.fill("400.00")
        amount.blur()
        with visit.house.later(2 * MINUTE):
            visit.planner_asks()
            ask_again(page)
            expect(page.locator("form.card")).to_have_count(2)
            expect(amount).to_have_value("400.00")
            card = page.locator("form.card").first
            expect(card.locator(".why")).to_contain_text("you can decide for 3 minutes")
            card.get_by_role("button", name="Approve", exact=True).click()
            expect(page.locator(".decided h3")).to_have_text("Pay €400.00 to Airline X")

    def test_who_is_at_a_press_keeps_the_focus_and_is_told_that_it_is_over(
        self, visit: Visit, page: Page
    ) -> None:
        visit.booker_asks()
        ask_again(page)
        approve = page.get_by_role("button", name="Approve", exact=True)
        approve.focus()
        with visit.house.later(6 * MINUTE):
            ask_again(page)
            expect(approve).to_be_disabled()
            expect(approve).to_be_focused()
            expect(page.get_by_role("status")).to_contain_text("€420.00 to Airline X: expired")

    def test_a_card_that_has_changed_says_look_again(self, visit: Visit, page: Page) -> None:
        one, another = siblings_of(visit)
        ask_for_the_calendar(one)
        ask_again(page)
        lasts = page.get_by_label("If you approve, it lasts")
        lasts.select_option("at most 2 minutes")
        ask_for_the_calendar(another, later=MINUTE // 2)
        ask_again(page)
        card = page.locator("form.card")
        expect(card).to_contain_text("This has changed: look again.")
        expect(page.get_by_role("status")).to_contain_text("This has changed: look again.")
        expect(lasts).to_have_value("120")
        expect(card).not_to_contain_text("1 more asks the same")
        visit.hands.follow("look again")
        expect(page.locator("form.card")).to_contain_text("1 more asks the same")
        expect(page.get_by_text("This has changed")).to_be_hidden()

    def test_a_card_that_nobody_is_at_is_shown_as_it_is_now(self, visit: Visit, page: Page) -> None:
        one, another = siblings_of(visit)
        ask_for_the_calendar(one)
        ask_again(page)
        expect(title(page)).to_have_count(1)
        ask_for_the_calendar(another, later=MINUTE // 2)
        ask_again(page)
        expect(page.locator("form.card")).to_contain_text("1 more asks the same")
        expect(page.get_by_text("This has changed")).to_be_hidden()

    def test_nothing_is_changed_for_what_is_under_the_pointer(
        self, visit: Visit, page: Page
    ) -> None:
        one, another = siblings_of(visit)
        ask_for_the_calendar(one)
        ask_again(page)
        card = page.locator("form.card")
        card.get_by_role("button", name="Approve").hover()
        ask_for_the_calendar(another, later=MINUTE // 2)
        ask_again(page)
        expect(card).to_contain_text("This has changed: look again.")
        expect(card).not_to_contain_text("1 more asks the same")
        card.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "This changed while you were reading"
        )

    def test_nothing_moves_under_the_hand(self, visit: Visit, page: Page) -> None:
        one, another = siblings_of(visit)
        ask_for_the_calendar(one)
        with visit.house.later(MINUTE):
            visit.booker_asks()
            ask_again(page)
        amount = page.get_by_label("Amount")
        amount.fill("400.00")
        page.evaluate("scrollTo(0, 0)")  # else the browser holds the place by itself
        before = top_of(amount)
        ask_for_the_calendar(another, later=MINUTE // 2)
        ask_again(page)
        expect(page.locator("form.card").first).to_contain_text("1 more asks the same")
        page.evaluate("() => new Promise(requestAnimationFrame)")
        assert top_of(amount) == pytest.approx(before, abs=1)


class TestWhenItAsks:
    def test_not_after_signing_out(self, visit: Visit, page: Page) -> None:
        # Gone through with: a tab that is closed on its way can take this page's with it.
        with other_tab(page, "/sign-out") as tab, tab.expect_navigation():
            tab.get_by_role("button", name="Sign out").click()
        ask_again(page)
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        sent = requests_of(page)
        page.clock.run_for(20 * EVERY)
        assert sent == []

    def test_it_goes_on_by_a_sign_in_of_the_same_person_in_another_tab(
        self, visit: Visit, page: Page
    ) -> None:
        asking, asked = visit.planner_asks()
        ask_again(page)
        page.get_by_label("If you approve, it lasts").select_option("at most 2 minutes")
        page.context.clear_cookies()
        with other_tab(page) as tab:
            Visit(visit.house, tab, visit.person).sign_in()
        assert ask_again(page) == 200
        visit.hands.press("Approve")
        assert asking.poll(asked).json()["expires_in"] <= 2 * MINUTE

    def test_it_stops_where_somebody_else_has_signed_in(
        self, house: House, visit: Visit, page: Page
    ) -> None:
        visit.planner_asks()
        ask_again(page)
        expect(title(page)).to_have_count(1)
        page.context.clear_cookies()
        with other_tab(page) as tab:
            Visit(house, tab, house.ana()).sign_in(PASSWORD)
        ask_again(page)
        expect(page.get_by_text("Somebody else has signed in.")).to_be_visible()
        expect(title(page)).to_have_count(1)

    def test_more_and_more_seldom_while_the_server_is_away(self, page: Page) -> None:
        tried: list[str] = []
        page.on("requestfailed", lambda request: tried.append(request.url))
        page.route(page.url, lambda route: route.abort())
        for wait in (1, 2, 4):
            with page.expect_event("requestfailed"):
                page.clock.fast_forward(wait * EVERY)
        page.unroute(page.url)
        assert len(tried) == 3
        with page.expect_response(page.url):
            page.clock.fast_forward(8 * EVERY)
        ask_again(page)

    def test_not_while_nobody_sees_it_and_at_once_when_they_do(self, page: Page) -> None:
        sent = requests_of(page)
        see = """isHidden => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true })
            document.dispatchEvent(new Event("visibilitychange"))
        }"""
        page.evaluate(see, True)
        page.clock.run_for(10 * EVERY)
        assert sent == []
        with page.expect_response(page.url):
            page.evaluate(see, False)


def test_axe_objects_to_nothing_in_what_came_and_in_what_is_over(visit: Visit, page: Page) -> None:
    watched = Watched(page)
    one, another = siblings_of(visit)
    visit.booker_asks()
    with visit.house.later(2 * MINUTE):
        ask_for_the_calendar(one)
        ask_again(page)
        expect(title(page)).to_have_count(2)
        page.get_by_label("If you approve, it lasts").last.select_option("at most 2 minutes")
        ask_for_the_calendar(another, later=MINUTE // 2)
    with visit.house.later(6 * MINUTE):
        ask_again(page)
        expect(page.locator(".changed").last).to_be_visible()
        expect(page.locator("form.card").first.locator(".why")).to_contain_text("expired")
        for width in (PHONE, DESK):
            for scheme in ("light", "dark"):
                assert watched.unmet_by_axe(width, scheme) == ""
        assert watched.small_targets() == []
        assert watched.complaints() == []
