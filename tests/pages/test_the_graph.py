"""Ana walks the graph by keyboard, looks at booker, ends what it holds, and another tab that is
open sees it die; without scripts it is the same by links.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pages.hands import Hands, Pointer
from pages.house import House
from pages.looking import DESK, PHONE, Watched
from pages.states import GRAPH, Visit
from support.agents_http import decode
from support.world import FLIGHTS

EVERY = 5_000


@pytest.fixture
def visit(house: House, hands: Hands, ana: str) -> Visit:
    return Visit(house, hands.page, ana)


@pytest.fixture
def typist(house: House, chromium: Browser, ana: str) -> Iterator[Visit]:
    """Ana at a keyboard, with scripts, in a tab of her own."""
    with chromium.new_context() as context:
        yield Visit(house, context.new_page(), ana)


def spot(page: Page, name: str) -> Locator:
    """Return the box of an agent that is drawn, or of the person."""
    return page.locator(f'a.spot[aria-label^="{name},"]')


def classes(page: Page, name: str) -> list[str]:
    return (spot(page, name).get_attribute("class") or "").split()


def helper_of(trip: dict[str, str]) -> str:
    (helper,) = (name for name in trip if "." in name)
    return f"booker · helper {helper.removeprefix('booker.')[:4]}"


def focused(page: Page) -> str:
    label = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
    return str(label).partition(",")[0]


def test_looks_at_booker_and_ends_exactly_what_lit_up(visit: Visit) -> None:
    trip = visit.trip()
    house, page = visit.house, visit.page
    helper = helper_of(trip)
    at_api = {
        name: house.agent(name).exchange(hold, resource=FLIGHTS).json()["access_token"]
        for name, hold in trip.items()
    }
    visit.signed_in_at(GRAPH)
    assert classes(page, "booker") == ["spot", "active"]
    page.goto(f"{house.url}{spot(page, 'booker').get_attribute('href')}")
    lit = [
        name for name in ("Ana Ruiz", "planner", "booker", helper) if "falls" in classes(page, name)
    ]
    assert lit == ["booker", helper]
    expect(page.locator("form .lead")).to_have_text("This ends 5 delegations. 1 helper is retired.")
    assert all(house.is_active(token, "flights-api") for token in at_api.values())

    visit.hands.press("End what booker holds here")
    alive = {name for name, token in at_api.items() if house.is_active(token, "flights-api")}
    assert alive == {"planner"}
    assert [c for c in classes(page, "booker") if c != "chosen"] == ["spot", "ended"]
    assert classes(page, "planner") == ["spot", "active"]
    expect(page.get_by_role("button", name="End")).to_have_count(0)


def test_arrow_keys_walk_the_tree_and_enter_opens(typist: Visit) -> None:
    trip = typist.trip()
    helper = helper_of(trip)
    with typist.house.later(2):
        typist.house.hold(person=typist.person)
    typist.signed_in_at(GRAPH)
    page = typist.page
    spot(page, "Ana Ruiz").focus()
    walked = []
    for key in ("Right", "Right", "Right", "Right", "Left", "Left", "Down", "Down", "Up", "Left"):
        page.keyboard.press(f"Arrow{key}")
        walked.append(focused(page))
    assert walked == [
        *("planner", "booker", helper, helper, "booker", "planner"),
        *("planner", "planner", "planner", "Ana Ruiz"),
    ]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_have_text("booker")
    assert "chosen" in classes(page, "booker")


def test_another_tab_that_is_open_sees_it_die_and_keeps_its_focus(typist: Visit) -> None:
    trip = typist.trip()
    page = typist.page
    typist.signed_in_at(GRAPH)
    page.clock.install()
    page.reload()
    spot(page, "planner").focus()
    tab = page.context.new_page()
    node = decode(trip["booker"])[1]["delegation_id"]
    other = Visit(typist.house, tab, typist.person)
    other.go(f"{GRAPH}?node={node}")
    other.hands.press("End what booker holds here")
    with page.expect_response(lambda answer: GRAPH in answer.url):
        page.clock.run_for(EVERY)
    expect(spot(page, "booker")).to_have_class("spot ended")
    expect(spot(page, helper_of(trip))).to_have_class("spot ended")
    expect(spot(page, "planner")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("What is drawn has changed.")


def test_what_somebody_is_about_to_press_stays_under_their_hand(typist: Visit) -> None:
    trip = typist.trip()
    page = typist.page
    node = decode(trip["booker"])[1]["delegation_id"]
    typist.signed_in_at(f"{GRAPH}?node={node}")
    page.clock.install()
    page.reload()
    button = page.get_by_role("button", name="End what booker holds here")
    button.focus()
    typist.house.agent("booker").revoke(trip["booker"])
    with page.expect_response(lambda answer: GRAPH in answer.url):
        page.clock.run_for(EVERY)
    expect(spot(page, "booker")).to_have_class("spot ended chosen")
    expect(button).to_be_focused()
    Pointer(page).press("End what booker holds here")
    expect(page.get_by_role("button", name="End")).to_have_count(0)


def test_the_table_tells_the_same(visit: Visit) -> None:
    trip = visit.trip()
    node = decode(trip["booker"])[1]["delegation_id"]
    visit.signed_in_at(f"{GRAPH}?node={node}")
    visit.hands.follow("As a table")
    rows = [" ".join(row.inner_text().split()) for row in visit.page.locator("tbody tr").all()]
    assert [row.partition(" Ana Ruiz")[0] for row in rows] == ["planner", "booker", helper_of(trip)]
    assert ["ends with it" in row for row in rows] == [False, True, True]
    visit.hands.follow("As a drawing")
    assert "chosen" in classes(visit.page, "booker")


def test_from_agents_acting_for_me_to_the_graph_and_the_timeline(visit: Visit) -> None:
    visit.trip()
    visit.agents()
    visit.hands.follow("Who acts for whom, in a picture")
    visit.page.goto(f"{visit.house.url}{spot(visit.page, 'planner').get_attribute('href')}")
    visit.hands.follow("The task's timeline")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("A task of planner")
    visit.hands.follow("This task in the graph")
    assert classes(visit.page, "booker") == ["spot", "active"]


def test_axe_objects_to_nothing_in_what_came(typist: Visit) -> None:
    trip = typist.trip()
    watched = Watched(typist.page)
    typist.signed_in_at(f"{GRAPH}?node={decode(trip['booker'])[1]['delegation_id']}")
    typist.page.clock.install()
    typist.page.reload()
    typist.house.agent("booker").revoke(trip["booker"])
    with typist.page.expect_response(lambda answer: GRAPH in answer.url):
        typist.page.clock.run_for(EVERY)
    expect(spot(typist.page, "booker")).to_have_class("spot ended chosen")
    for width in (PHONE, DESK):
        for scheme in ("light", "dark"):
            assert watched.unmet_by_axe(width, scheme) == ""
    assert watched.complaints() == []
