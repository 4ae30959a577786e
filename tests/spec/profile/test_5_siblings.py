"""The same question of siblings is one card: one answer for all who ask, frozen in its hash."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from deputize.approvals.decide import Outcome, decide
from deputize.approvals.find_cards import count_open, open_cards
from deputize.approvals.grant_less import grant_less
from deputize.approvals.vote import Vote, cards_asked_of
from deputize.catalogue.models import ResourceServer
from deputize.core.secrets import digest
from deputize.endings.edit_catalogue import declare_scope, declare_server
from deputize.host import Authentication, Person
from spec.profile.test_5_inbox import form_of, inbox, press
from support.agents_http import decode, outcome
from support.asking import Asking
from support.world import PAY, SCOPES, SECRET, World

pytestmark = pytest.mark.section("profile", "5")

TOLD = Authentication(1_764_000_000, "pwd", ("pwd",))
PAYING = next(s for s in SCOPES if s.name == "pay:transfer")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def sibling(asking: Asking, name: str, scope: str = "flights:search") -> Asking:
    taken = asking.world.hand_over(asking.hold, "planner", name, scope)
    return Asking(asking.world, asking.world.agent(name), taken, asking.person)


@pytest.fixture
def siblings(asking: Asking) -> tuple[Asking, Asking]:
    return sibling(asking, "booker"), sibling(asking, "checker")


def shown_to(asking: Asking) -> list[Any]:
    with asking.world.context.db.read() as tx:
        return open_cards(tx, asking.person, 100)


def test_one_yes_gives_each_its_own_token(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    asked = booker.asked(binding_message="Seat 14C"), checker.asked(binding_message="Seat 14D")
    assert [len(card) for card in shown_to(booker)] == [2]
    assert booker.say_yes(lifetime=60) == Outcome.DONE
    tokens = [one.poll(request).json() for one, request in zip(siblings, asked, strict=True)]
    assert [token["expires_in"] for token in tokens] == [60, 60]
    actors = [decode(token["access_token"])[1]["act"]["sub"] for token in tokens]
    assert actors == ["booker", "checker"]


def test_no_other_sibling_can_fetch_it(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    asked = booker.asked(), checker.asked()
    booker.say_yes()
    assert outcome(checker.poll(asked[0])) == (400, "invalid_grant")
    assert outcome(booker.poll(asked[1])) == (400, "invalid_grant")


def test_one_no_is_for_all_of_them(siblings: tuple[Asking, Asking]) -> None:
    asked = [one.asked() for one in siblings]
    assert siblings[0].say_no() == Outcome.DONE
    for one, request in zip(siblings, asked, strict=True):
        assert outcome(one.poll(request)) == (400, "access_denied")


def test_who_joins_changes_what_is_decided_about(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    asked = booker.asked()
    (as_shown,) = shown_to(booker)[0]
    checker.asked()
    yes = grant_less(as_shown, {}, TOLD)
    context = booker.world.context
    assert decide(context, as_shown, as_shown.content_hash, yes) == Outcome.CHANGED
    assert outcome(booker.poll(asked)) == (400, "authorization_pending")


def test_joining_at_the_moment_of_the_yes_grants_nothing_unseen(
    siblings: tuple[Asking, Asking],
) -> None:
    booker, checker = siblings
    context, asked = booker.world.context, booker.asked()
    (as_shown,) = shown_to(booker)[0]
    yes = grant_less(as_shown, {}, TOLD)
    with ThreadPoolExecutor(2) as pool:
        decided = pool.submit(decide, context, as_shown, as_shown.content_hash, yes)
        joining = pool.submit(checker.asked)
    assert outcome(checker.poll(joining.result())) == (400, "authorization_pending")
    is_pending = outcome(booker.poll(asked)) == (400, "authorization_pending")
    assert is_pending == (decided.result() == Outcome.CHANGED)


def test_those_who_come_and_go_do_not_keep_it_changing(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    booker.asked()
    changed = set()
    for number in range(5):
        checker.asked(binding_message=f"again {number}", requested_expiry="30")
        changed.add(shown_to(booker)[0][0].content_hash)
        booker.world.pass_time(35)
    assert len(changed) == 2


def test_after_a_minute_nobody_joins(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    booker.asked()
    booker.world.pass_time(60)
    checker.asked()
    assert [len(card) for card in shown_to(booker)] == [1, 1]


def test_who_joins_waits_no_longer_than_the_first(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    booker.asked(requested_expiry="60")
    checker.asked()
    (card,) = shown_to(booker)
    assert len({one.expires_at for one in card}) == 1


def test_after_the_yes_nobody_joins(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    booker.asked()
    booker.say_yes()
    late = checker.asked()
    assert outcome(checker.poll(late)) == (400, "authorization_pending")
    assert [len(card) for card in shown_to(booker)] == [1]


def test_it_is_one_of_the_cards_that_may_be_open(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    booker.asked()
    checker.asked()
    with booker.world.context.db.read() as tx:
        assert count_open(tx, booker.person) == 1


def test_the_same_agent_asking_for_something_else_is_another_card(
    siblings: tuple[Asking, Asking],
) -> None:
    booker, _ = siblings
    booker.asked(binding_message="Seat 14C")
    booker.asked(binding_message="Seat 14D")
    assert [len(card) for card in shown_to(booker)] == [1, 1]


def test_who_holds_something_else_asks_by_a_card_of_its_own(asking: Asking) -> None:
    sibling(asking, "booker").asked()
    sibling(asking, "checker", "flights:search calendar:read").asked()
    assert [len(card) for card in shown_to(asking)] == [1, 1]


def test_what_is_good_for_one_use_is_a_question_of_its_own(
    siblings: tuple[Asking, Asking],
) -> None:
    world = siblings[0].world
    declare_scope(world.context.db, replace(PAYING, single_use=True))
    declare_server(world.context.db, ResourceServer(PAY, "Pay", "pay-api", digest(SECRET), True))
    for one in siblings:
        one.asked()
    assert [len(card) for card in shown_to(siblings[0])] == [1, 1]
    declare_scope(world.context.db, PAYING)


def test_one_that_was_stopped_is_no_longer_shown_and_gets_nothing(
    siblings: tuple[Asking, Asking],
) -> None:
    booker, checker = siblings
    asked = booker.asked(), checker.asked()
    (its,) = (one for one in shown_to(booker)[0] if one.client_id == "booker")
    booker.world.context.ends.end_delegation(its.delegation_id, why="revoked")
    browser = booker.world.browser(booker.person)
    press(browser, form_of(inbox(browser, booker.world)), "approve")
    assert outcome(booker.poll(asked[0])) == (400, "access_denied")
    assert checker.poll(asked[1]).json()["scope"] == "pay:transfer"


def test_the_card_names_all_with_their_own_words(siblings: tuple[Asking, Asking]) -> None:
    booker, checker = siblings
    booker.asked(binding_message="Seat 14C")
    checker.asked(binding_message="Seat 14D <b>")
    page = inbox(booker.world.browser(booker.person), booker.world)
    assert "1 more asks the same: one answer is for all" in page
    assert "“Seat 14C”" in page
    assert "“Seat 14D &lt;b&gt;”" in page
    assert "Deny and stop all 2" in page


def test_what_speaks_for_looking_twice_is_said_of_who_joined_too(asking: Asking) -> None:
    world, stranger = asking.world, f"stranger-{len(asking.world.keys)}"
    world.register(stranger, origin="self")
    world.edit("planner", delegates_to=frozenset({"booker", "checker", stranger}))
    asking.hold = world.hold("planner", asking.person)
    for name in ("booker", stranger):
        sibling(asking, name).asked()
    assert [len(card) for card in shown_to(asking)] == [2]
    page = inbox(world.browser(asking.person), world)
    assert f"<bdi>{stranger}</bdi> registered itself. An administrator let it in." in page


def test_where_many_wait_a_card_still_names_all(siblings: tuple[Asking, Asking]) -> None:
    for one in siblings:
        one.asked()
    with siblings[0].world.context.db.read() as tx:
        cards = open_cards(tx, siblings[0].person, limit=1)
    assert [len(card) for card in cards] == [2]


def test_stopping_stops_all_of_them(siblings: tuple[Asking, Asking]) -> None:
    world = siblings[0].world
    asked = [one.asked() for one in siblings]
    browser = world.browser(siblings[0].person)
    press(browser, form_of(inbox(browser, world)), "stop")
    for one, request in zip(siblings, asked, strict=True):
        assert outcome(one.poll(request)) == (400, "access_denied")
        refused = one.agent.exchange(one.hold, resource="https://flights.example")
        assert refused.status_code == 400


def test_others_second_all_of_it_at_once_and_none_of_them_owns_an_agent_of_it(
    asking: Asking,
) -> None:
    world = asking.world
    declare_scope(world.context.db, replace(PAYING, approvers="group:finance", quorum=1))
    for name in ("fay", "fred"):
        world.host.people[name] = Person(name, name.title(), frozenset({"finance"}))
    world.edit("checker", owner="fay")
    siblings = booker, checker = sibling(asking, "booker"), sibling(asking, "checker")
    asked = booker.asked(), checker.asked()
    booker.say_yes()
    with world.context.db.read() as tx:
        fays, freds = (cards_asked_of(tx, world.host.people[n], 100) for n in ("fay", "fred"))
    mine = [card for card in freds if card[0].person_id == booker.cards()[0].person_id]
    assert [len(card) for card in mine] == [2]
    assert not {one.id for card in fays for one in card} & {one.id for one in mine[0]}
    first = mine[0][0]
    vote = Vote(first, first.decision_hash or "", world.host.people["fred"], TOLD, True)
    assert vote.cast(world.context) == Outcome.DONE
    for one, request in zip(siblings, asked, strict=True):
        assert one.poll(request).json()["scope"] == "pay:transfer"
    world.edit("checker", owner="ben")
    declare_scope(world.context.db, PAYING)
