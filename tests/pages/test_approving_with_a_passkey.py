"""An order takes Ana's passkey: she adds one, waits until it counts, lowers the amount, and signs
exactly that. Without a device, or without scripts, there is no way.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from pages.hands import Pointer
from pages.house import House
from pages.states import APPROVALS, DAY, PASSKEYS, Visit
from pages.test_deciding_what_agents_ask import waits, words
from support.agents_http import decode


@pytest.fixture
def visit(house: House, chromium: Browser, ana: str) -> Iterator[Visit]:
    with chromium.new_context() as context:
        yield Visit(house, context.new_page(), ana)


def test_from_the_first_passkey_to_a_token_that_tells_of_it(house: House, visit: Visit) -> None:
    page, hands = visit.page, visit.hands
    visit.with_authenticator()
    visit.signed_in_at(PASSKEYS)
    assert "You have no passkey yet." in words(page)
    hands.follow("Add a passkey")
    hands.fill("What do you call it?", "My phone")
    hands.press("Make a passkey")
    assert page.url == f"{house.url}{PASSKEYS}"
    assert "My phone ◐ waiting does not count until tomorrow" in words(page)
    with house.later(DAY):
        asking, asked = visit.planner_orders()
        visit.signed_in_at(APPROVALS)
        assert "you sign it with a passkey: there is no other way" in words(page)
        hands.fill("Amount", "400.00")
        hands.choose("If you approve, it lasts", "at most 2 minutes")
        hands.press("Approve")
        expect(page.get_by_role("heading", level=1)).to_have_text("Approve with your passkey")
        said = words(page)
        assert "You sign exactly this Pay €400.00 to Airline X at pay.example" in said
        assert "It lasts at most 2 minutes." in said
        hands.press("Approve with passkey")
        assert page.url == f"{house.url}{APPROVALS}"
        assert "you said yes to less just now" in words(page)

        told = asking.poll(asked).raise_for_status().json()
        claims = decode(told["access_token"])[1]
        assert claims["authorization_details"][0]["amount"] == "400.00"
        assert (claims["acr"], claims["amr"]) == ("phr", ["pop", "user"])
        assert claims["auth_time"] == pytest.approx(claims["iat"], abs=60)
        assert claims["approval_evidence"]
        answer = house.api("pay-api").introspect(told["access_token"]).json()
        assert answer["approval_evidence"] == claims["approval_evidence"]
        visit.signed_in_at(PASSKEYS)
        assert "My phone ● active counts for approvals" in words(page)
        assert "last used just now" in words(page)


def test_a_device_that_does_not_find_her_leaves_all_as_it_was(visit: Visit) -> None:
    finds_its_owner = visit.enrol_long_ago()
    asking, asked = visit.planner_orders()
    visit.signed_in_at(APPROVALS)
    visit.hands.press("Approve")
    page = visit.page
    expect(page.get_by_role("alert")).to_have_count(0)
    finds_its_owner(False)
    page.get_by_role("button", name="Approve with passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Your passkey did not sign.")
    assert waits(asking, asked)


def test_without_scripts_there_is_no_way(house: House, visit: Visit, chromium: Browser) -> None:
    visit.enrol_long_ago()
    asking, asked = visit.planner_orders()
    with chromium.new_context(java_script_enabled=False) as context:
        plain = Visit(house, context.new_page(), visit.person)
        plain.signed_in_at(APPROVALS)
        plain.hands.press("Approve")
        assert "This takes JavaScript" in words(plain.page)
        assert "There is no other way." in words(plain.page)
        Pointer(plain.page).press("Approve with passkey")
        assert "This was not signed" in words(plain.page)
        assert "Nothing was granted." in words(plain.page)
    assert waits(asking, asked)


def test_removing_one_takes_it_and_withdraws_what_waits(house: House, visit: Visit) -> None:
    visit.enrol_long_ago()
    asking, asked = visit.planner_orders()
    visit.signed_in_at(APPROVALS)
    visit.hands.press("Approve")
    visit.hands.press("Approve with passkey")
    visit.signed_in_at(PASSKEYS)
    visit.hands.follow("Remove My phone")
    assert "1 approval that you gave with it is withdrawn." in words(visit.page)
    visit.hands.press("Remove it")
    assert "You have no passkey yet." in words(visit.page)
    assert asking.poll(asked).json()["error"] == "access_denied"
