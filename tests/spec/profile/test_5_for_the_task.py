"""Once, or for the whole task: who said so is not asked the same again until it is over."""

from dataclasses import replace
from typing import Any

import pytest

from deputize.approvals.decide import Outcome
from deputize.approvals.find_cards import open_cards
from deputize.catalogue.models import ResourceServer
from deputize.core.secrets import digest
from deputize.endings.edit_catalogue import declare_scope, declare_server, retire_details_type
from spec.profile.test_5_inbox import form_of, inbox, press
from support.agents_http import decode, outcome
from support.asking import Asking
from support.details import declare, folders, spelled
from support.world import CALENDAR, PAY, SCOPES, SECRET, World

pytestmark = pytest.mark.section("profile", "5")

PAYING = next(s for s in SCOPES if s.name == "pay:transfer")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.fixture(autouse=True)
def plain(world: World) -> None:
    declare_scope(world.context.db, PAYING)


def waiting(asking: Asking) -> int:
    with asking.world.context.db.read() as tx:
        return len(open_cards(tx, asking.person, 100))


def said_for_the_task(asking: Asking, **changes: Any) -> str:
    request = asking.asked(binding_message="first")
    assert asking.say_yes(for_task=True, **changes) == Outcome.DONE
    return request


def test_the_same_again_is_granted_and_nobody_is_asked(asking: Asking) -> None:
    first = asking.poll(said_for_the_task(asking)).json()
    again = asking.poll(asking.asked(binding_message="second")).json()
    assert again["scope"] == first["scope"] == "pay:transfer"
    one, other = (decode(token["access_token"])[1] for token in (first, again))
    assert one["jti"] != other["jti"]
    assert one["delegation_id"] != other["delegation_id"]
    assert other["auth_time"] == one["auth_time"]
    assert waiting(asking) == 0


def test_it_leaves_an_event_that_names_the_person(asking: Asking) -> None:
    said_for_the_task(asking)
    before = len(asking.world.events("approval.repeated"))
    asking.asked(binding_message="second")
    (event,) = asking.world.events("approval.repeated")[before:]
    assert event["person_id"] == asking.cards()[0].person_id
    assert event["agent"] == "planner"


def test_once_is_once(asking: Asking) -> None:
    asking.asked(binding_message="first")
    asking.say_yes()
    asking.asked(binding_message="second")
    assert waiting(asking) == 1


def test_no_longer_than_was_granted(asking: Asking) -> None:
    said_for_the_task(asking, lifetime=60)
    again = asking.poll(asking.asked(binding_message="second")).json()
    assert again["expires_in"] == 60


def test_what_was_left_out_is_asked_for(asking: Asking) -> None:
    declare_scope(asking.world.context.db, replace(PAYING, name="pay:refund"))
    names = {scope.name for scope in SCOPES} | {"pay:refund", "agents:spawn", "tasks"}
    asking.world.edit("planner", scope=frozenset(names))
    asking.asked(scope="openid pay:transfer pay:refund", binding_message="first")
    asking.say_yes(scope=frozenset({"pay:transfer"}), for_task=True)
    asking.asked(scope="openid pay:refund", binding_message="second")
    assert waiting(asking) == 1


def test_another_agent_of_the_task_is_asked_for(asking: Asking) -> None:
    said_for_the_task(asking)
    taken = asking.world.hand_over(asking.hold, "planner", "booker", "flights:search")
    Asking(asking.world, asking.world.agent("booker"), taken, asking.person).asked()
    assert waiting(asking) == 1


def test_another_task_is_asked_for(asking: Asking) -> None:
    said_for_the_task(asking)
    other = asking.world.hold("planner", asking.person)
    replace(asking, hold=other).asked()
    assert waiting(asking) == 1


def test_after_the_end_of_the_task_nothing_is_granted(asking: Asking) -> None:
    said_for_the_task(asking)
    again = asking.asked(binding_message="second")
    card = asking.cards()[0]
    asking.world.context.ends.end_delegation(card.delegation_id, why="revoked")
    assert outcome(asking.poll(again)) == (400, "access_denied")
    assert outcome(asking.ask()) == (400, "expired_login_hint_token")


@pytest.mark.parametrize(
    "rule",
    [
        {"acr": "pwd"},
        {"max_age": 2_000_000_000},
        {"approvers": "group:finance", "quorum": 1},
        {"single_use": True},
    ],
)
def test_a_rule_that_asks_for_more_than_a_yes_is_asked_each_time(
    asking: Asking, rule: dict[str, Any]
) -> None:
    db = asking.world.context.db
    declare_server(db, ResourceServer(PAY, "Pay", "pay-api", digest(SECRET), True))
    declare_scope(db, replace(PAYING, **rule))
    asking.asked()
    assert asking.say_yes(for_task=True) == Outcome.CHANGED


def test_a_rule_that_came_meanwhile_is_obeyed(asking: Asking) -> None:
    said_for_the_task(asking)
    again = asking.asked(binding_message="second")
    declare_scope(asking.world.context.db, replace(PAYING, acr="phr"))
    assert outcome(asking.poll(again)) == (400, "access_denied")
    asking.asked(binding_message="third")
    assert waiting(asking) == 1


def test_details_are_within_those_that_were_granted(asking: Asking) -> None:
    declare(asking.world)
    asking = replace(asking, hold=asking.world.hold("planner", asking.person))
    files = {"scope": "openid files:read", "resource": CALENDAR}
    for folder, asked in ((("trips", "bills"), 1), (("trips",), 0), (("trips", "letters"), 1)):
        details = spelled(folders(*folder))
        asking.asked(**files, authorization_details=details, binding_message=" ".join(folder))
        assert waiting(asking) == asked
        asking.say_yes(for_task=True)


def test_what_was_granted_within_bounds_is_not_repeated_without_them(asking: Asking) -> None:
    declare(asking.world)
    asking = replace(asking, hold=asking.world.hold("planner", asking.person))
    files = {"scope": "openid files:read", "resource": CALENDAR}
    asking.asked(**files, authorization_details=spelled(folders("trips")))
    assert asking.say_yes(for_task=True) == Outcome.DONE
    retire_details_type(asking.world.context.db, "folders")
    asking.asked(**files)
    assert waiting(asking) == 1


def test_the_card_offers_it_unticked_and_history_tells_it(asking: Asking) -> None:
    request = asking.asked(binding_message="first")
    browser = asking.world.browser(asking.person)
    page = inbox(browser, asking.world)
    assert "Also when it asks for the same again in this task" in page
    form = form_of(page)
    assert "for_task" not in form or form["for_task"] == []
    press(browser, form, "approve", for_task="yes")
    assert asking.poll(request).status_code == 200
    asking.asked(binding_message="second")
    page = inbox(browser, asking.world)
    assert "you said yes, for the whole task" in page
    assert "as you had said for the whole task" in page
    assert "good until the task is over" in page
