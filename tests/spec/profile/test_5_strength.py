"""A scope's rule may ask for a fresh sign-in, or a stronger one, before a yes (RFC 9470 §3)."""

import httpx
import pytest

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from deputize.host import Person
from spec.profile.test_5_inbox import form_of, inbox, press
from support.agents_http import decode, outcome, unix_time
from support.asking import Asking
from support.world import PAY, World

pytestmark = pytest.mark.section("profile", "5")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    db = world_on_each_engine.context.db
    for name, rule in (("pay:fresh", {"max_age": 60}), ("pay:strong", {"acr": "phr"})):
        declare_scope(db, Scope(name, PAY, name.title(), sensitive=True, **rule))
    planner = {"scope": frozenset({"calendar:read", "pay:fresh", "pay:strong", "pay:transfer"})}
    world_on_each_engine.edit("planner", **planner)
    return world_on_each_engine


def signed_in(asking: Asking, at: int) -> httpx.Client:
    browser = asking.world.browser(None)
    browser.get("/sign-in", params={"person": asking.person, "at": str(at)}).raise_for_status()
    return browser


@pytest.fixture
def asking(world: World) -> Asking:
    person = f"person-{len(world.host.people)}"
    world.host.people[person] = Person(person, person.title())
    grown = Asking(world, world.agent("planner"), "", person)
    grown.hold = world.hold("planner", person, scope="calendar:read")
    return grown


def test_a_sign_in_that_is_too_old_is_not_enough_and_a_fresh_one_is(asking: Asking) -> None:
    asked = asking.asked(scope="openid pay:fresh")
    old = signed_in(asking, unix_time() - 600)
    refused = press(old, form_of(inbox(old, asking.world)), "approve")
    assert refused.status_code == 403
    assert "Nothing was granted." in refused.text
    assert outcome(asking.poll(asked)) == (400, "authorization_pending")
    fresh = signed_in(asking, unix_time())
    assert press(fresh, form_of(inbox(fresh, asking.world)), "approve").status_code == 303
    claims = decode(asking.poll(asked).json()["access_token"])[1]
    assert unix_time() - claims["auth_time"] <= 60


def test_another_way_of_signing_in_is_not_enough(asking: Asking) -> None:
    asked = asking.asked(scope="openid pay:strong")
    browser = signed_in(asking, unix_time())
    assert press(browser, form_of(inbox(browser, asking.world)), "approve").status_code == 403
    assert outcome(asking.poll(asked)) == (400, "authorization_pending")


def test_a_no_takes_nothing(asking: Asking) -> None:
    asked = asking.asked(scope="openid pay:strong")
    browser = signed_in(asking, 0)
    assert press(browser, form_of(inbox(browser, asking.world)), "deny").status_code == 303
    assert outcome(asking.poll(asked)) == (400, "access_denied")
