"""Others beside the person: a quorum of a group, never of those who answer for the agents."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from deputize.approvals.decide import Outcome
from deputize.approvals.vote import Vote, cards_asked_of, find_asked
from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from deputize.host import Authentication, Person, PersonToken
from support.agents_http import outcome
from support.asking import Asking
from support.world import PAY, SCOPES, World

pytestmark = pytest.mark.section("profile", "5")

TOLD = Authentication(1_764_000_000, "pwd", ("pwd",))
PAYING = next(s for s in SCOPES if s.name == "pay:transfer")


def two_of_finance(world: World, **members: Any) -> None:
    usual: Any = {"approvers": "group:finance", "quorum": 2}
    declare_scope(world.context.db, replace(PAYING, **usual | members))


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    for name in ("fay", "fred", "fiona"):
        world_on_each_engine.host.people[name] = member(name)
    # Who owns planner is of finance too.
    world_on_each_engine.host.people["ben"] = member("ben")
    world_on_each_engine.host.people["bob"] = member("bob", "board")
    return world_on_each_engine


@pytest.fixture(autouse=True)
def finance(world: World) -> Iterator[None]:
    two_of_finance(world)
    for name in ("fay", "fred", "fiona"):
        world.host.people[name] = member(name)
    world.host.inactive.clear()
    yield
    declare_scope(world.context.db, Scope(**vars_of(PAYING)))


def vars_of(scope: Scope) -> dict[str, Any]:
    return {name: getattr(scope, name) for name in Scope.__slots__}


def member(name: str, group: str = "finance") -> Person:
    return Person(name, name.title(), frozenset({group}))


def asked(asking: Asking, name: str) -> list[Any]:
    with asking.world.context.db.read() as tx:
        cards = cards_asked_of(tx, asking.world.host.people[name], 100)
    return [card for card in cards if card[0].id == asking.cards()[0].id]


def vote(asking: Asking, name: str, *, is_yes: bool = True, told: Any = TOLD) -> Outcome:
    someone = asking.world.host.people[name]
    card = asking.cards()[0]
    with asking.world.context.db.read() as tx:
        if find_asked(tx, card.id, someone) is None:
            return Outcome.OVER
    return Vote(card, card.decision_hash or "", someone, told, is_yes).cast(asking.world.context)


class TestTheQuorum:
    def test_the_person_and_two_of_the_group(self, asking: Asking) -> None:
        request = asking.asked()
        assert asked(asking, "fay") == []
        assert asking.say_yes() == Outcome.DONE
        assert outcome(asking.poll(request)) == (400, "authorization_pending")
        assert vote(asking, "fay") == Outcome.DONE
        asking.world.pass_time(20)
        assert outcome(asking.poll(request)) == (400, "authorization_pending")
        assert vote(asking, "fred") == Outcome.DONE
        assert asking.poll(request).json()["scope"] == "pay:transfer"

    def test_each_has_one_vote(self, asking: Asking) -> None:
        request = asking.asked()
        asking.say_yes()
        assert vote(asking, "fay") == Outcome.DONE
        assert asked(asking, "fay") == []
        assert vote(asking, "fay") == Outcome.OVER
        assert outcome(asking.poll(request)) == (400, "authorization_pending")

    @pytest.mark.parametrize("name", ["ben", "eve", "bob"])
    def test_who_answers_for_an_agent_or_is_not_of_the_group_has_none(
        self, asking: Asking, name: str
    ) -> None:
        asking.asked()
        asking.say_yes()
        assert asked(asking, name) == []
        assert vote(asking, name) == Outcome.OVER

    def test_the_person_is_not_one_of_the_others(self, asking: Asking) -> None:
        asking.world.host.people[asking.person] = member(asking.person)
        asking.asked()
        asking.say_yes()
        assert vote(asking, asking.person) == Outcome.OVER

    def test_the_first_no_decides(self, asking: Asking) -> None:
        request = asking.asked()
        asking.say_yes()
        vote(asking, "fay")
        assert vote(asking, "fred", is_yes=False) == Outcome.DONE
        assert vote(asking, "fiona") == Outcome.OVER
        assert outcome(asking.poll(request)) == (400, "access_denied")

    def test_the_person_may_take_it_back_until_then(self, asking: Asking) -> None:
        request = asking.asked()
        asking.say_yes()
        vote(asking, "fay")
        assert asking.say_no() == Outcome.DONE
        assert vote(asking, "fred") == Outcome.OVER
        assert outcome(asking.poll(request)) == (400, "access_denied")

    def test_what_was_taken_back_is_told_as_their_own_no(self, asking: Asking) -> None:
        asking.asked()
        asking.say_yes()
        asking.say_no()
        page = asking.world.browser(asking.person).get(asking.world.metadata["approvals_page"])
        assert "you said no" in page.text
        assert "somebody else said no" not in page.text

    def test_a_vote_that_was_kept_is_none_once_it_was_taken_back(self, asking: Asking) -> None:
        asking.asked()
        asking.say_yes()
        kept = [(asking.cards()[0], name) for name in ("fay", "fred")]
        asking.say_no()
        asking.world.pass_time(asking.world.context.settings.approvals.cool_down)
        again = replace(asking, hold=asking.world.hold("planner", asking.person))
        request = again.asked()
        assert again.say_yes() == Outcome.DONE
        for card, name in kept:
            someone = asking.world.host.people[name]
            word = Vote(card, card.decision_hash or "", someone, TOLD, True)
            assert word.cast(asking.world.context) == Outcome.OVER
        assert outcome(again.poll(request)) == (400, "authorization_pending")

    def test_what_they_vote_on_does_not_change(self, asking: Asking) -> None:
        asking.asked()
        asking.say_yes()
        vote(asking, "fay")
        assert asking.say_yes(lifetime=10) == Outcome.CHANGED

    def test_a_vote_on_something_else_is_none(self, asking: Asking) -> None:
        asking.asked()
        asking.say_yes()
        card = asking.cards()[0]
        someone = asking.world.host.people["fay"]
        for shown in ("", card.content_hash, "0" * 64):
            assert Vote(card, shown, someone, TOLD, True).cast(asking.world.context) == Outcome.OVER

    def test_a_rule_binds_every_voter(self, asking: Asking) -> None:
        two_of_finance(asking.world, max_age=60)
        now = Authentication(1_764_000_000_0, "pwd", ("pwd",))
        asking.asked()
        asking.say_yes(authentication=replace(now, auth_time=4_000_000_000))
        assert vote(asking, "fay") == Outcome.SIGN_IN


class TestWhoIsEntitled:
    def test_a_member_who_left_the_group_counts_no_more_at_the_close(self, asking: Asking) -> None:
        request = asking.asked()
        asking.say_yes()
        vote(asking, "fay")
        asking.world.host.people["fay"] = Person("fay", "Fay")
        assert vote(asking, "fred") == Outcome.DONE
        assert outcome(asking.poll(request)) == (400, "authorization_pending")
        assert vote(asking, "fiona") == Outcome.DONE
        assert asking.poll(request).status_code == 200

    @pytest.mark.parametrize("change", ["left the group", "left", "a larger quorum", "owner"])
    def test_it_is_looked_at_again_when_it_is_redeemed(self, asking: Asking, change: str) -> None:
        """V10: by persons entitled both at the decision and at the redemption."""
        world = asking.world
        request = asking.asked()
        asking.say_yes()
        vote(asking, "fay")
        vote(asking, "fred")
        if change == "left the group":
            world.host.people["fay"] = Person("fay", "Fay")
        elif change == "left":
            world.host.inactive.add("fay")
        elif change == "a larger quorum":
            two_of_finance(world, quorum=3)
        else:
            world.edit("planner", sponsor="fay")
        assert outcome(asking.poll(request)) == (400, "access_denied")
        world.edit("planner", sponsor=None)

    def test_after_a_while_others_may_say_it_too(self, asking: Asking) -> None:
        two_of_finance(asking.world, quorum=1, escalates_to="group:board", escalates_after=60)
        request = asking.asked()
        asking.say_yes()
        assert vote(asking, "bob") == Outcome.OVER
        asking.world.pass_time(61)
        assert vote(asking, "bob") == Outcome.DONE
        assert asking.poll(request).status_code == 200


class TestAtOnce:
    def test_two_last_votes_close_it_once(self, asking: Asking) -> None:
        request = asking.asked()
        asking.say_yes()
        voting = [threading.Thread(target=vote, args=(asking, n)) for n in ("fay", "fred")]
        for one in voting:
            one.start()
        for one in voting:
            one.join()
        assert asking.poll(request).status_code == 200
        card = asking.cards()[0]
        closed = asking.world.events("approval.approved")
        assert [e["facts"]["approval_id"] for e in closed].count(card.id) == 1


class TestPagesAndApi:
    def test_the_inbox_asks_for_their_word(self, asking: Asking) -> None:
        world = asking.world
        request = asking.asked()
        asking.say_yes()
        card = asking.cards()[0]
        for name in ("fay", "fred"):
            browser = world.browser(name)
            page = browser.get(world.metadata["approvals_page"]).text
            assert "said yes to this. It happens only if you do too." in page
            url = f"/deputize/approvals/{card.id}/vote"
            form = {"decision": "approve", "shown": card.decision_hash, "csrf_token": ""}
            refused = browser.post(url, data=form)
            assert refused.status_code == 303
            token = csrf_of(page)
            browser.post(url, data=form | {"csrf_token": token})
        assert asking.poll(request).status_code == 200
        mine = world.browser(asking.person).get(world.metadata["approvals_page"]).text
        assert "you said yes" in mine

    def test_the_person_sees_whom_it_waits_for(self, asking: Asking) -> None:
        asking.asked()
        page = asking.world.browser(asking.person).get(asking.world.metadata["approvals_page"])
        assert "It happens only if 2 of <bdi>finance</bdi> say yes too." in page.text
        asking.say_yes()
        mine = asking.world.browser(asking.person).get(asking.world.metadata["approvals_page"])
        assert "waits for finance" in mine.text

    def test_the_api_takes_a_vote(self, asking: Asking) -> None:
        request = asking.asked()
        asking.say_yes()
        card = asking.cards()[0]
        for name in ("fay", "fred"):
            api = api_of(asking.world, name)
            (told,) = [c for c in api.get("/deputize/api/approvals").json() if c["id"] == card.id]
            assert told["seconds"] is True
            word = {"decision": "approve", "content_hash": told["content_hash"]}
            url = f"/deputize/api/approvals/{card.id}"
            less = api.post(url, json=word | {"scope": "pay:transfer"})
            assert less.status_code == 400
            assert api.post(url, json=word).json()["status"] == "approved"
        assert asking.poll(request).status_code == 200
        assert PAY in asking.cards()[0].target


def api_of(world: World, name: str) -> Any:
    world.host.tokens[name] = PersonToken(
        world.host.people[name], "webapp", frozenset({"approvals"}), TOLD
    )
    api = world.browser(None)
    api.headers["Authorization"] = f"Bearer {name}"
    return api


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    return found[1] if found else ""
