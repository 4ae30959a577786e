"""CIBA Core §7.1, §7.2: an agent names its person by a hint, and shows no token of theirs.

PROTOCOL §5: only a person who lets this agent act for them is asked; for everybody else
the answer is one, and so is the work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deputize.host import Person
from storage.hearing import Ear
from support.agents_http import decode, outcome, unix_time
from support.asking import Asking
from support.request_object import request_object, send
from support.world import CALENDAR, CALLBACK, FLIGHTS, PAY, BareHost, World

pytestmark = pytest.mark.section("CIBA Core 1.0", "7.1, 7.2")

UNKNOWN = (400, "unknown_user_id")


def cold(asking: Asking, hint: str | None = None, /, **params: Any) -> httpx.Response:
    """Ask by a name of the person, `asking.person` where none is given."""
    named = {"login_hint_token": None, "login_hint": hint or asking.person}
    return asking.ask(**named | params)


def newcomer(world: World) -> str:
    """Return a person who has an account, and lets nobody act for them."""
    key = f"newcomer-{len(world.host.people)}"
    world.host.people[key] = Person(key, key)
    return key


@pytest.fixture(scope="module")
def ear(world: World) -> Ear:
    return Ear(world.context.db)


@pytest.fixture
def id_token(asking: Asking) -> str:
    """What planner got for its person a while ago: it has expired."""
    auth_req_id = asking.asked(binding_message="the first")
    asking.say_yes()
    told = asking.poll(auth_req_id).json()["id_token"]
    asking.world.pass_time(400)
    return str(told)


@dataclass
class Silent:
    """A host that does not say whom a name means, and is else as the one it stands for."""

    host: BareHost

    def __getattr__(self, name: str) -> Any:
        if name == "find_person_by_hint":
            raise AttributeError(name)
        return getattr(self.host, name)


@pytest.fixture
def without_hints(world: World) -> Iterator[None]:
    object.__setattr__(world.context, "host", Silent(world.host))
    yield
    object.__setattr__(world.context, "host", world.host)


class TestLoginHint:
    def test_a_person_who_lets_it_act_for_them_is_asked(self, asking: Asking) -> None:
        assert outcome(cold(asking)) == (200, "none")
        (card,) = asking.cards()
        assert (card.scope, card.target, card.chain) == ({"pay:transfer"}, PAY, ("planner",))
        assert card.binding_message == "TP1234, seat 14C"

    def test_by_another_of_their_names(self, asking: Asking) -> None:
        assert outcome(cold(asking, f"{asking.person}@example.com")) == (200, "none")
        assert len(asking.cards()) == 1

    def test_the_token_is_of_that_delegation(self, asking: Asking) -> None:
        """Its node stands under the root: the same person, task and chain."""
        auth_req_id = cold(asking).json()["auth_req_id"]
        asking.say_yes()
        told = asking.poll(auth_req_id).json()
        elevated, hold = decode(told["access_token"])[1], decode(asking.hold)[1]
        assert (elevated["sub"], elevated["task_id"]) == (asking.person, hold["task_id"])
        assert elevated["scope"] == "pay:transfer"
        assert elevated["act"] == hold["act"]
        asking.agent.revoke(asking.hold)
        assert not asking.world.is_active(told["access_token"], "pay-api")

    def test_it_is_the_same_card_as_by_the_hold(self, asking: Asking) -> None:
        """A hint is no way around the bounds on what waits."""
        assert outcome(asking.ask()) == outcome(cold(asking)) == (200, "none")
        assert len(asking.cards()) == 1

    def test_the_newest_that_reaches_the_target(self, asking: Asking) -> None:
        world, first = asking.world, decode(asking.hold)[1]["task_id"]
        world.pass_time(2)
        newer = world.hold("planner", asking.person, resource=[CALENDAR, PAY])
        world.pass_time(2)
        world.hold("planner", asking.person, resource=[CALENDAR])
        cold(asking)
        (card,) = asking.cards()
        assert card.task_id == decode(newer)[1]["task_id"] != first

    def test_one_that_has_ended_is_passed_over(self, asking: Asking) -> None:
        world = asking.world
        world.pass_time(2)
        asking.agent.revoke(world.hold("planner", asking.person))
        assert outcome(cold(asking)) == (200, "none")
        (card,) = asking.cards()
        assert card.task_id == decode(asking.hold)[1]["task_id"]

    def test_it_may_be_signed(self, asking: Asking) -> None:
        signed = request_object(asking, login_hint_token=None, login_hint=asking.person)
        assert outcome(send(asking, signed)) == (200, "none")

    @pytest.mark.usefixtures("without_hints")
    def test_a_host_that_does_not_say_offers_none(self, asking: Asking) -> None:
        assert outcome(cold(asking)) == UNKNOWN


class TestIdTokenHint:
    def test_one_that_it_got_names_its_person(self, asking: Asking, id_token: str) -> None:
        """Expired: it gives no right, and the delegation that does is alive."""
        assert decode(id_token)[1]["exp"] < unix_time()
        answer = asking.ask(login_hint_token=None, id_token_hint=id_token)
        assert outcome(answer) == (200, "none")

    @pytest.mark.usefixtures("without_hints")
    def test_whatever_the_host_says_of_names(self, asking: Asking, id_token: str) -> None:
        answer = asking.ask(login_hint_token=None, id_token_hint=id_token)
        assert outcome(answer) == (200, "none")

    def test_one_of_another_client(self, asking: Asking, id_token: str) -> None:
        """Though its person lets this one act for them as well."""
        world = asking.world
        world.hold("mallory", asking.person, scope="calendar:read", resource=[CALENDAR, PAY])
        asking.agent = world.agent("mallory")
        answer = asking.ask(login_hint_token=None, id_token_hint=id_token)
        assert outcome(answer) == UNKNOWN
        assert not any(card.client_id == "mallory" for card in asking.cards())

    @pytest.mark.parametrize("typ", ["at+jwt", "secevent+jwt", "logout+jwt"])
    def test_what_is_no_id_token(self, asking: Asking, id_token: str, typ: str) -> None:
        """V17: whatever it says, by the server's own key."""
        forged = asking.world.forge(decode(id_token)[1], typ)
        for hint in (forged, asking.hold):
            answer = asking.ask(login_hint_token=None, id_token_hint=hint)
            assert outcome(answer) == UNKNOWN

    def test_one_that_we_did_not_make(self, asking: Asking, id_token: str) -> None:
        head, _, mac = id_token.split(".")
        changed = f"{head}.{asking.agent.client_assertion().split('.')[1]}.{mac}"
        for hint in (changed, asking.agent.client_assertion(), "x.y.z", "x" * 20_000):
            answer = asking.ask(login_hint_token=None, id_token_hint=hint)
            assert outcome(answer) == UNKNOWN

    def test_an_access_token_of_it_is_no_id_token_hint_and_the_reverse(
        self, asking: Asking, id_token: str
    ) -> None:
        assert outcome(asking.ask(login_hint_token=id_token)) == UNKNOWN


class TestNobody:
    """Same status, same members, same words, same work."""

    @pytest.fixture
    def nobodies(self, world: World, asking: Asking) -> dict[str, str]:
        """People whom planner may not ask about PAY, each for another reason."""
        locked_out, left, ended, elsewhere, others = (newcomer(world) for _ in range(5))
        world.hold("planner", locked_out)
        world.host.inactive.add(locked_out)
        world.hold("planner", left)
        world.leave(left)
        asking.agent.revoke(world.hold("planner", ended))
        world.hold("planner", elsewhere, resource=[CALENDAR, FLIGHTS])
        world.hold("mallory", others, scope="calendar:read", resource=[CALENDAR, PAY])
        return {
            "unknown": "nobody-at-all",
            "too long": "x" * 5000,
            "without a delegation": newcomer(world),
            "locked out": locked_out,
            "left": left,
            "ended": ended,
            "to another agent": others,
            "out of reach": elsewhere,
        }

    def test_all_are_answered_alike(self, asking: Asking, nobodies: dict[str, str]) -> None:
        told = {why: cold(asking, hint) for why, hint in nobodies.items()}
        assert {outcome(answer) for answer in told.values()} == {UNKNOWN}
        assert len({answer.text for answer in told.values()}) == 1
        names = {tuple(sorted(answer.headers.keys())) for answer in told.values()}
        assert len(names) == 1

    def test_by_the_same_work(self, asking: Asking, nobodies: dict[str, str], ear: Ear) -> None:
        """As many statements, the same ones: what an outsider could measure is not there."""
        cold(asking, "warm")
        work = {}
        for why, hint in nobodies.items():
            with ear.hearing() as statements:
                cold(asking, hint)
            work[why] = len(statements)
        assert len(set(work.values())) == 1, work

    def test_the_trail_names_the_rule_and_no_person(
        self, world: World, asking: Asking, nobodies: dict[str, str]
    ) -> None:
        before = {e["id"] for e in world.events()}
        cold(asking, nobodies["locked out"])
        (last,) = (e for e in world.events() if e["id"] not in before)
        assert (last["rule"], last["person_id"]) == ("hint.unknown", None)
        assert nobodies["locked out"] not in last["body"].decode()

    def test_what_is_wrong_with_the_request_is_told_of_anybody(self, asking: Asking) -> None:
        for hint in (asking.person, "nobody-at-all"):
            several = cold(asking, hint, scope="openid pay:transfer calendar:write", resource=None)
            assert outcome(several) == (400, "invalid_target")
            assert outcome(cold(asking, hint, scope="pay:transfer")) == (400, "invalid_scope")
            both = cold(asking, hint, id_token_hint="x.y.z")
            assert outcome(both) == (400, "invalid_request")

    def test_an_agent_further_down_has_no_root_of_its_own(self, asking: Asking) -> None:
        world = asking.world
        world.hand_over(asking.hold, "planner", "booker", "flights:search")
        asking.agent = world.agent("booker")
        assert outcome(cold(asking)) == UNKNOWN


class TestFatigue:
    """A person is worn down cold no more than by a hold."""

    def test_so_many_wait_at_once_however_they_were_asked(self, asking: Asking) -> None:
        told = [cold(asking, binding_message=f"number {n}").status_code for n in range(4)]
        assert told == [200, 200, 200, 403]
        assert outcome(asking.ask(binding_message="by the hold")) == (403, "access_denied")
        assert len(asking.cards()) == 3

    def test_another_task_is_no_way_around_it(self, asking: Asking) -> None:
        for number in range(3):
            cold(asking, binding_message=f"number {number}")
        asking.world.pass_time(2)
        asking.world.hold("planner", asking.person)
        assert outcome(cold(asking, binding_message="once more")) == (403, "access_denied")

    def test_a_no_cools_down(self, asking: Asking) -> None:
        cold(asking)
        asking.say_no()
        assert outcome(cold(asking, binding_message="please")) == (403, "access_denied")


def test_what_it_hangs_on_ends_and_no_token_comes_of_it(asking: Asking) -> None:
    auth_req_id = cold(asking).json()["auth_req_id"]
    asking.say_yes()
    asking.agent.revoke(asking.hold)
    assert outcome(asking.poll(auth_req_id)) == (400, "access_denied")


def test_a_hint_names_nobody_by_the_way_back(asking: Asking) -> None:
    """Whatever is sent as a hint is no 500."""
    for hint in ("", " ", "\ud7ff", '"', "%", "' OR 1=1", CALLBACK, "é" * 300):
        for name in ("login_hint", "id_token_hint"):
            assert asking.ask(login_hint_token=None, **{name: hint}).status_code == 400
