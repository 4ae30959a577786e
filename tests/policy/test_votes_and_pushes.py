"""Others' yes, and an answer that is pushed: the policy is asked at each, as at all else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from deputize.approvals.decide import Outcome
from deputize.approvals.vote import Vote, find_asked
from deputize.endings.edit_catalogue import declare_scope
from deputize.host import Authentication, Person
from policy.conftest import asking_at
from support.agents_http import outcome
from support.asking import Asking
from support.decisions import Decisions, Question, allowed, answered
from support.told import Told, told
from support.world import PAY, SCOPES, World, running_world

TOLD = Authentication(1_764_000_000, "pwd", ("pwd",))
NOT_NOW = {"decision": False, "context": {"policies": ["not-now"]}}
PAYING = next(s for s in SCOPES if s.name == "pay:transfer")


@pytest.fixture(scope="module")
def world(decisions: Decisions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    more = {"agents": {"private_hosts": ["127.0.0.1"]}, "key_secret": "a secret of 32 characters!!"}
    url = f"sqlite:///{folder}/deputize.sqlite3"
    with running_world(url, folder, policy=asking_at(decisions), **more) as running:
        running.host.people["fay"] = Person("fay", "Fay", frozenset({"finance"}))
        yield running


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Told]:
    with told() as running:
        yield running


def asks(world: World, **members: Any) -> Asking:
    """Return an agent of its own, with a hold of somebody's whom nobody has asked anything."""
    name = f"person-{len(world.host.people)}"
    world.host.people[name] = Person(name, name.title())
    world.register(f"agent-of-{name}", **members)
    agent = world.agent(f"agent-of-{name}")
    return Asking(world, agent, world.hold(agent.client_id, name), name)


def forbidding(action: str) -> Any:
    def decide(question: Question) -> Any:
        is_it = question["action"]["name"] == action and question["resource"]["id"] == PAY
        return answered(NOT_NOW) if is_it else allowed(question)

    return decide


def silent(_: Question) -> Any:
    return answered({}, status=500)


class TestAVote:
    """The yes of others is one more yes: a policy may forbid it meanwhile."""

    @pytest.fixture
    def seconding(self, world: World) -> Iterator[Asking]:
        """A question that its person has approved, and somebody of finance is to second."""
        declare_scope(world.context.db, replace(PAYING, approvers="group:finance", quorum=1))
        asking = asks(world)
        self.request = asking.asked()
        assert asking.say_yes() == Outcome.DONE
        yield asking
        declare_scope(world.context.db, PAYING)

    def vote(self, asking: Asking, *, is_yes: bool = True) -> Outcome:
        card, fay = asking.cards()[0], asking.world.host.people["fay"]
        with asking.world.context.db.read() as tx:
            assert find_asked(tx, card.id, fay) is not None
        vote = Vote(card, card.decision_hash or "", fay, TOLD, is_yes)
        return vote.cast(asking.world.context)

    def poll(self, asking: Asking) -> tuple[int, str]:
        asking.world.pass_time(6)
        return outcome(asking.poll(self.request))

    def test_is_asked_about_as_what_the_person_granted(
        self, seconding: Asking, decisions: Decisions
    ) -> None:
        decisions.begin_again()
        assert self.vote(seconding) == Outcome.DONE
        (asked,) = decisions.asked
        assert (asked["action"]["name"], asked["resource"]["id"]) == ("approve", PAY)
        assert asked["context"]["scope"] == ["pay:transfer"]
        assert asked["context"]["approved"] is True
        assert self.poll(seconding)[0] == 200

    @pytest.mark.parametrize("decide", [forbidding("approve"), silent], ids=["no", "no answer"])
    def test_that_is_not_allowed_counts_for_nothing_and_can_be_cast_later(
        self, seconding: Asking, decisions: Decisions, decide: Any
    ) -> None:
        decisions.decide = decide
        before = len(seconding.world.events("approval.voted"))
        assert self.vote(seconding) == Outcome.FORBIDDEN
        refused = seconding.world.events("approval.refused")[-1]
        assert refused["rule"] in ("policy.denied", "policy.unavailable")
        assert len(seconding.world.events("approval.voted")) == before
        assert self.poll(seconding) == (400, "authorization_pending")
        decisions.begin_again()
        assert self.vote(seconding) == Outcome.DONE
        assert self.poll(seconding)[0] == 200

    def test_a_no_asks_nobody(self, seconding: Asking, decisions: Decisions) -> None:
        decisions.begin_again()
        decisions.decide = silent
        assert self.vote(seconding, is_yes=False) == Outcome.DONE
        assert decisions.asked == []

    def test_the_quorum_is_no_token_yet(self, seconding: Asking, decisions: Decisions) -> None:
        assert self.vote(seconding) == Outcome.DONE
        decisions.decide = forbidding("issue")
        assert self.poll(seconding) == (400, "access_denied")


class TestAPush:
    """What is pushed is minted then: nobody comes for it, and the policy is asked all the same."""

    @pytest.fixture
    def pushing(self, world: World, endpoint: Told) -> Asking:
        endpoint.arrived.clear()
        endpoint.status = 204
        asking = asks(
            world,
            backchannel_token_delivery_mode="push",
            backchannel_client_notification_endpoint=endpoint.endpoint,
        )
        asking.usual = {"client_notification_token": "8d67dc78-7faa-4d41-aabd-67707b374255"}
        asking.asked()
        assert asking.say_yes() == Outcome.DONE
        return asking

    def issued(self, asking: Asking) -> list[Any]:
        events = asking.world.events("delegation.issued")
        mine = (e for e in events if e["agent"] == asking.agent.client_id)
        return [e for e in mine if e["facts"]["aud"] == PAY]

    def test_is_asked_about_and_carries_the_token(
        self, pushing: Asking, decisions: Decisions, endpoint: Told
    ) -> None:
        decisions.begin_again()
        deliver(pushing.world)
        assert pushing.world.is_active(endpoint.take()["access_token"], "pay-api")
        asked = decisions.asked[0]
        assert (asked["action"]["name"], asked["resource"]["id"]) == ("issue", PAY)
        assert asked["context"]["grant_type"].endswith("ciba")

    def test_a_no_is_pushed_and_nothing_is_made(
        self, pushing: Asking, decisions: Decisions, endpoint: Told
    ) -> None:
        decisions.decide = forbidding("issue")
        deliver(pushing.world)
        pushed = endpoint.take()
        assert pushed["error"] == "access_denied"
        assert "not-now" not in str(pushed)
        assert self.issued(pushing) == []

    def test_without_an_answer_it_waits(
        self, pushing: Asking, decisions: Decisions, endpoint: Told
    ) -> None:
        decisions.decide = silent
        deliver(pushing.world)
        assert (endpoint.arrived, self.issued(pushing)) == ([], [])
        decisions.begin_again()
        pushing.world.pass_time(20)
        deliver(pushing.world)
        assert "access_token" in endpoint.take()

    def test_once_more_it_is_asked_about_once_more(
        self, pushing: Asking, decisions: Decisions, endpoint: Told
    ) -> None:
        """The first was lost on its way: what is sent again is judged again."""
        endpoint.status = 503
        deliver(pushing.world)
        assert "access_token" in endpoint.take()
        decisions.decide = forbidding("issue")
        endpoint.status = 204
        pushing.world.pass_time(20)
        deliver(pushing.world)
        assert endpoint.take()["error"] == "access_denied"


def deliver(world: World) -> None:
    world.app.extensions["deputize"].deliverer().deliver_due()
