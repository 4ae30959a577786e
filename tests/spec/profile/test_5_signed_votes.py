"""A vote is signed with a passkey too, where the rule asks for one: for the frozen decision."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from deputize.approvals.decide import Outcome
from deputize.approvals.vote import Vote
from deputize.delegation.persons import find_person_id
from deputize.endings.edit_catalogue import declare_scope
from deputize.endings.remove_passkey import remove_passkey
from deputize.host import Authentication, Person
from deputize.passkeys.models import passkeys_of
from support.agents_http import outcome, unix_time
from support.asking import Asking
from support.authenticator import Authenticator, Form, enrolled, fresh_browser, read_signing_form
from support.world import SCOPES, World

pytestmark = pytest.mark.section("profile", "5")

PAYING = replace(
    next(s for s in SCOPES if s.name == "pay:transfer"),
    acr="phr",
    approvers="group:finance",
    quorum=2,
)
VOTERS = ("fay", "fred", "fiona")


@dataclass
class Member:
    """Somebody whose word is asked for too, at their browser, with a passkey that counts."""

    world: World
    key: Authenticator
    browser: httpx.Client

    def form(self, asking: Asking) -> Form:
        """Press "Approve" on the card; return the form that waits for the signature."""
        card = asking.cards()[0]
        data = {"csrf_token": self.csrf(), "shown": card.decision_hash, "decision": "approve"}
        page = self.browser.post(f"/deputize/approvals/{card.id}/vote", data=data)
        assert page.status_code == 200, page.text
        return read_signing_form(page.text)

    def csrf(self) -> str:
        page = self.browser.get("/deputize/approvals").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None, page
        return found[1]

    def sign(self, form: Form, **changed: str) -> httpx.Response:
        credential = self.key.get(form.options, self.world.url)
        return self.browser.post(form.action, data=form.data(credential, **changed))


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.fixture(scope="module")
def keys(world: World) -> dict[str, Authenticator]:
    """Return the passkeys of the person and of all who vote."""
    for name in ("ana", *VOTERS):
        groups = frozenset({"finance"} if name in VOTERS else ())
        world.host.people[name] = Person(name, name.title(), groups)
    return {name: enrolled(world, name) for name in ("ana", *VOTERS)}


@pytest.fixture
def members(world: World, keys: dict[str, Authenticator]) -> dict[str, Member]:
    return {name: Member(world, keys[name], fresh_browser(world, name)) for name in VOTERS}


@pytest.fixture
def asking(world: World, keys: dict[str, Authenticator]) -> Iterator[tuple[Asking, str]]:
    """Return what ana has signed already, and the id that planner polls with."""
    declare_scope(world.context.db, PAYING)
    asking = Asking(world, world.agent("planner"), world.hold("planner", "ana"), "ana")
    request = asking.asked()
    browser = fresh_browser(world, "ana")
    card = asking.cards()[0]
    csrf = Member(world, keys["ana"], browser).csrf()
    data = {"shown": card.content_hash, "decision": "approve", "scope": "pay:transfer"}
    page = browser.post(f"/deputize/approvals/{card.id}", data=data | {"csrf_token": csrf})
    form = read_signing_form(page.text)
    assert Member(world, keys["ana"], browser).sign(form).status_code == 303
    yield asking, request
    # Past its end, so that the next one is asked.
    world.pass_time(301)


Asked = tuple[Asking, str]
Members = dict[str, Member]


def polled(world: World, asked: Asked) -> tuple[int, str]:
    world.pass_time(6)
    return outcome(asked[0].poll(asked[1]))


def test_two_votes_that_were_signed_close_it(world: World, asking: Asked, members: Members) -> None:
    for name in ("fay", "fred"):
        assert polled(world, asking) == (400, "authorization_pending")
        assert members[name].sign(members[name].form(asking[0])).status_code == 303
    assert polled(world, asking)[0] == 200
    told = [e["facts"] for e in world.events("approval.voted") if "evidence_id" in e["facts"]]
    assert len({fact["evidence_id"] for fact in told[-3:]}) == 3


@pytest.mark.parametrize("acr", ["pwd", "phr"])
def test_a_session_is_no_vote(world: World, asking: Asked, acr: str) -> None:
    card = asking[0].cards()[0]
    told = Authentication(unix_time(), acr)
    word = Vote(card, card.decision_hash or "", world.host.people["fay"], told, True)
    assert word.cast(world.context) == Outcome.SIGN_IN


def test_the_page_says_what_the_person_decided(asking: Asked, members: Members) -> None:
    card = asking[0].cards()[0]
    fay = members["fay"]
    data = {"csrf_token": fay.csrf(), "shown": card.decision_hash, "decision": "approve"}
    page = fay.browser.post(f"/deputize/approvals/{card.id}/vote", data=data).text
    assert "You sign exactly this" in page
    assert "<bdi>Ana</bdi>" in page


def test_a_vote_is_not_what_somebody_else_signed(
    world: World, asking: Asked, members: Members
) -> None:
    fay, fred = members["fay"], members["fred"]
    form = fay.form(asking[0])
    assert replace(fay, key=fred.key).sign(form).status_code == 400
    signed = fay.key.get(form.options, world.url)
    data = form.data(signed, csrf_token=fred.csrf())
    assert fred.browser.post(form.action, data=data).status_code == 400
    assert polled(world, asking) == (400, "authorization_pending")


def test_a_vote_is_for_the_frozen_decision_alone(
    world: World, asking: Asked, members: Members
) -> None:
    fay = members["fay"]
    for changed in ({"shown": "0" * 64}, {"nonce": "x" * 43}):
        assert fay.sign(fay.form(asking[0]), **changed).status_code in (400, 410)
    assert polled(world, asking) == (400, "authorization_pending")


def test_a_vote_is_not_a_yes_of_the_persons_own(
    world: World, asking: Asked, members: Members
) -> None:
    fay = members["fay"]
    form = fay.form(asking[0])
    data: Any = form.data(fay.key.get(form.options, world.url), scope="pay:transfer")
    url = form.action.removesuffix("/vote/signed") + "/signed"
    answer = fay.browser.post(url, data=data)
    assert answer.status_code == 404, answer.text
    assert polled(world, asking) == (400, "authorization_pending")


def test_removing_a_voters_passkey_withdraws_what_it_seconded(
    world: World, asking: Asked, members: Members, keys: dict[str, Authenticator]
) -> None:
    for name in ("fiona", "fred"):
        assert members[name].sign(members[name].form(asking[0])).status_code == 303
    with world.context.db.read() as tx:
        (lost,) = passkeys_of(tx, find_person_id(tx, "fiona"))
    assert remove_passkey(world.context.db, lost, by="a test")
    assert polled(world, asking) == (400, "access_denied")
    keys["fiona"] = enrolled(world, "fiona")


def test_a_vote_does_not_revive_what_a_removal_withdraws(
    world: World, asking: Asked, members: Members, keys: dict[str, Authenticator]
) -> None:
    """Whichever is first: what one of the votes was signed with is gone."""
    assert members["fiona"].sign(members["fiona"].form(asking[0])).status_code == 303
    form = members["fred"].form(asking[0])
    with world.context.db.read() as tx:
        (lost,) = passkeys_of(tx, find_person_id(tx, "fiona"))
    both = [
        threading.Thread(target=members["fred"].sign, args=(form,)),
        threading.Thread(
            target=remove_passkey, args=(world.context.db, lost), kwargs={"by": "a test"}
        ),
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert polled(world, asking) == (400, "access_denied")
    keys["fiona"] = enrolled(world, "fiona")


@pytest.mark.postgresql_only
def test_nor_where_the_removal_comes_between_its_reading_and_its_writing(
    world: World,
    asking: Asked,
    members: Members,
    keys: dict[str, Authenticator],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert members["fiona"].sign(members["fiona"].form(asking[0])).status_code == 303
    form = members["fred"].form(asking[0])
    with world.context.db.read() as tx:
        (lost,) = passkeys_of(tx, find_person_id(tx, "fiona"))
    store = Vote._store

    def removed_meanwhile(self: Vote, *arguments: Any) -> str:
        remove_passkey(world.context.db, lost, by="a test")
        return store(self, *arguments)

    monkeypatch.setattr(Vote, "_store", removed_meanwhile)
    answer = members["fred"].sign(form)
    assert (answer.status_code, "Nothing was granted" in answer.text) == (410, True)
    assert polled(world, asking) == (400, "access_denied")
    keys["fiona"] = enrolled(world, "fiona")


def test_a_rule_that_asks_by_the_time_of_redemption(world: World, asking: Asked) -> None:
    asked, request = asking
    declare_scope(world.context.db, replace(PAYING, acr=None))
    world.pass_time(301)
    asked.hold = world.hold("planner", "ana")
    request = asked.asked(binding_message="Again")
    now = Authentication(unix_time(), "pwd")
    assert asked.say_yes(authentication=now) == Outcome.DONE
    card = asked.cards()[0]
    for name in ("fay", "fred"):
        word = Vote(card, card.decision_hash or "", world.host.people[name], now, True)
        assert word.cast(world.context) == Outcome.DONE
    declare_scope(world.context.db, PAYING)
    assert polled(world, (asked, request)) == (400, "access_denied")
