"""V3, V10, V11, V14, V16: an approval yields what was decided, to whom it was shown, or nothing.

What the answer hangs on changes between the question, the press, and the redemption.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deputize.agents.lifecycle import Status
from deputize.approvals.decide import Outcome
from deputize.approvals.redeem import Redemption
from deputize.delegation.issue import Decision, Mint
from deputize.endings.edit_catalogue import declare_scope, retire_scope
from deputize.endings.end_task import end_task
from invariants.conftest import asking_of
from support.agents_http import TOKEN_EXCHANGE, decode, outcome
from support.asking import Asking
from support.world import CALENDAR, PAY, SCOPES, World

READ, WRITE = "calendar:read", "calendar:write"
NOTHING = (400, 401, 403)
LOCKED_OUT = "the host locked the person out"

Change = Callable[[Asking], Any]


@pytest.fixture
def below(world: World, request: pytest.FixtureRequest) -> Asking:
    """A sub-agent of an agent of the test's own, each with its own registration."""
    number = len(world.keys)
    top, sub = f"top-{number}", f"sub-{number}"
    world.register(top, delegates_to=frozenset({sub}))
    world.register(sub)
    asking = asking_of(world, top, pass_on=(sub,))
    taken = world.hand_over(asking.hold, top, sub, "flights:search")
    return replace(asking, agent=world.agent(sub), hold=taken)


@pytest.fixture(autouse=True)
def catalogue_as_ever(world: World) -> Any:
    yield
    for declared in SCOPES:
        declare_scope(world.context.db, declared)


def top_of(asking: Asking) -> str:
    return str(decode(asking.hold)[1]["act"]["act"]["sub"])


def without_pay(asking: Asking, client_id: str) -> None:
    asking.world.edit(client_id, scope=frozenset({"flights:search", "calendar:read"}))


def declared(name: str, **members: Any) -> Change:
    """Return the change that declares the scope anew."""
    usual = next(s for s in SCOPES if s.name == name)
    return lambda asking: declare_scope(asking.world.context.db, replace(usual, **members))


CHANGES: dict[str, Change] = {
    "its own ceiling": lambda a: without_pay(a, a.agent.client_id),
    "the ceiling of an agent above it": lambda a: without_pay(a, top_of(a)),
    "the agent above it was stopped": lambda a: a.world.stop(top_of(a)),
    "it was stopped": lambda a: a.world.stop(a.agent.client_id),
    "it was retired": lambda a: a.world.stop(a.agent.client_id, Status.RETIRED),
    "the person left": lambda a: a.world.leave(a.person),
    LOCKED_OUT: lambda a: a.world.host.inactive.add(a.person),
    "the task ended": lambda a: end_task(
        a.world.context.db, decode(a.hold)[1]["task_id"], why="cancelled"
    ),
    "the delegation ended": lambda a: a.agent.revoke(a.hold),
    "the scope was retired": lambda a: retire_scope(a.world.context.db, "pay:transfer"),
    "the scope is good for one use": declared("pay:transfer", single_use=True),
    "the scope asks for a passkey": declared("pay:transfer", acr="passkey"),
    "the scope asks for others too": declared("pay:transfer", approvers="group:board"),
    "the scope asks for a fresh sign-in": declared("pay:transfer", max_age=60),
}


class TestBetweenTheYesAndTheRedemption:
    """PROTOCOL §5: "Everything is looked at again"."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_yes_to_what_is_no_more_gives_nothing(self, below: Asking, change: str) -> None:
        asked = below.asked()
        assert below.say_yes() == Outcome.DONE
        CHANGES[change](below)
        assert below.poll(asked).status_code in NOTHING

    @pytest.mark.parametrize("change", [c for c in CHANGES if c != LOCKED_OUT])
    def test_nor_where_it_changes_while_the_redemption_is_on_its_way(
        self, below: Asking, change: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Decided on what was, and looked at again under the locks."""
        asked = below.asked()
        below.say_yes()
        change_once_it_is_decided(below, CHANGES[change], monkeypatch)
        assert below.poll(asked).status_code in NOTHING

    def test_takes_the_ceilings_that_come_later(self, below: Asking) -> None:
        asked = below.asked()
        below.say_yes()
        token = below.poll(asked).json()["access_token"]
        without_pay(below, top_of(below))
        assert not below.world.is_active(token, "pay-api")

    def test_what_was_said_to_be_held_is_not_given_back(self, world: World) -> None:
        """V16: the card says that reading is held; by the redemption it is no more."""
        world.register(name := f"loses-{len(world.keys)}")
        asking = asking_of(world, name, untick=(WRITE,))
        asked = asking.asked(scope=f"openid {READ} {WRITE}", resource=CALENDAR)
        asking.say_yes()
        everything = frozenset(s.name for s in SCOPES)
        world.edit(name, scope=everything - {READ})
        world.edit(name, scope=everything)
        answer = asking.poll(asked)
        if answer.status_code == 200:
            assert answer.json()["scope"] == WRITE

    def test_what_was_said_to_be_held_and_is_sensitive_by_now_is_not_given(
        self, world: World
    ) -> None:
        asking = asking_of(world, untick=(WRITE,))
        asked = asking.asked(scope=f"openid {READ} {WRITE}", resource=CALENDAR)
        asking.say_yes()
        declared(READ, sensitive=True)(asking)
        answer = asking.poll(asked)
        if answer.status_code == 200:
            assert answer.json()["scope"] == WRITE

    def test_a_repeat_says_what_the_first_answer_said(self, asking: Asking) -> None:
        """V10: one token identity, though the scope's tokens are to live shorter by then."""
        asked = asking.asked()
        asking.say_yes()
        declared("pay:transfer", token_lifetime=60)(asking)
        first, again = (asking.poll(asked).json() for _ in range(2))
        claims, repeated = (decode(told["access_token"])[1] for told in (first, again))
        assert claims["exp"] == repeated["exp"]
        assert again["expires_in"] <= first["expires_in"]


class TestBetweenThePageAndThePress:
    @pytest.mark.parametrize(
        "change",
        [
            "the agent above it was stopped",
            "it was retired",
            "the person left",
            "the task ended",
            "the delegation ended",
        ],
    )
    def test_a_press_on_what_is_no_more_decides_nothing(self, below: Asking, change: str) -> None:
        asked = below.asked()
        (card,) = below.cards()
        CHANGES[change](below)
        assert below.say_yes(card) == Outcome.OVER
        assert below.cards()[0].status == "pending"
        assert below.poll(asked).status_code in NOTHING


class TestWhoAsks:
    def test_one_that_takes_a_hand_over_stands_in_the_chain_that_is_shown(
        self, asking: Asking
    ) -> None:
        """V10: what is decided is the chain that the token will have."""
        given = asking.agent.exchange(asking.hold, audience="booker", scope="flights:search")
        booker = replace(asking, agent=asking.world.agent("booker"))
        answer = booker.agent.exchange(
            given.json()["access_token"], resource=PAY, scope="pay:transfer", binding_message="x"
        )
        if outcome(answer) != (400, "authorization_pending"):
            return
        (card,) = booker.cards()
        assert card.chain == ("planner", "booker")

    def test_an_agent_that_may_not_come_back_for_it_asks_nobody(self, world: World) -> None:
        name = f"no-ciba-{len(world.keys)}"
        world.register(
            name,
            grant_types=frozenset({"authorization_code", "refresh_token", TOKEN_EXCHANGE}),
        )
        asking = asking_of(world, name)
        answer = asking.agent.exchange(
            asking.hold, resource=PAY, scope="pay:transfer", binding_message="x"
        )
        assert answer.json()["error"] in ("interaction_required", "unauthorized_client")
        assert asking.cards() == []

    def test_a_public_client_asks_nobody(self, world: World) -> None:
        name = f"public-{len(world.keys)}"
        world.register(name, token_endpoint_auth_method="none", jwks=None)
        del world.keys[name]
        asking = asking_of(world, name)
        assert outcome(asking.ask()) == (400, "unauthorized_client")
        stepped = asking.agent.exchange(
            asking.hold, resource=PAY, scope="pay:transfer", binding_message="x"
        )
        assert outcome(stepped) == (400, "unauthorized_client")
        assert outcome(asking.poll("x" * 43)) == (400, "unauthorized_client")
        assert asking.cards() == []

    def test_nor_does_a_resource_server(self, asking: Asking) -> None:
        asked = asking.asked()
        api = replace(asking, agent=asking.world.api("pay-api"))
        assert outcome(api.ask()) == (400, "unauthorized_client")
        assert outcome(api.poll(asked)) == (400, "unauthorized_client")
        assert len(asking.cards()) == 1

    def test_a_helper_has_no_more_than_it_was_started_for(self, asking: Asking) -> None:
        """A spawned agent's ceiling binds: no approval would change it, so nobody is asked."""
        child = asking.world.spawn("planner", asking.hold, "flights:search")
        taken = asking.world.hand_over(asking.hold, "planner", child, "flights:search")
        helper = replace(asking, agent=asking.world.agent(child), hold=taken)
        assert outcome(helper.ask()) == (400, "invalid_scope")
        assert asking.cards() == []


def change_once_it_is_decided(
    asking: Asking, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let it change once, after a redemption was decided and before it is stored."""
    decide, changes = Redemption.decide, [change]

    def decide_and_change(redemption: Redemption, decision: Decision) -> Mint:
        mint = decide(redemption, decision)
        if changes:
            changes.pop()(asking)
        return mint

    monkeypatch.setattr(Redemption, "decide", decide_and_change)
