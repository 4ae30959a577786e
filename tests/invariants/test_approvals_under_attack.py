"""V11, V15, V19: many requests at one moment, and somebody who wants a person to be tired.

With real threads, in two processes, on both databases.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest

from deputize.agents.lifecycle import Status
from deputize.approvals.decide import Outcome
from deputize.approvals.models import Approval
from deputize.endings.stop_agent import start_agent, stop_agent
from invariants.conftest import asking_of
from invariants.test_races import at_once
from support.agents_http import decode, outcome
from support.asking import Asking
from support.world import PAY, SCOPES, World, another_worker, read_form

OPEN_AT_MOST = 3
EVERYTHING = frozenset(s.name for s in SCOPES) | {"agents:spawn", "tasks"}


@pytest.fixture(scope="module")
def workers(world: World) -> Iterator[list[dict[str, Any]]]:
    """The metadata of two worker processes of the same server."""
    with another_worker(world) as other:
        yield [world.metadata, other]


def spread(asking: Asking, workers: list[dict[str, Any]], number: int) -> list[Asking]:
    """Return the asker `number` times, alternating between the workers."""
    agents = [replace(asking.agent, metadata=workers[i % len(workers)]) for i in range(number)]
    return [replace(asking, agent=agent) for agent in agents]


@pytest.fixture
def raced(world: World) -> Asking:
    """An agent whom nobody knows yet, with a hold of ana's, whom every worker knows."""
    name = f"racing-{len(world.keys)}"
    world.register(name)
    return asking_of(world, name, "ana")


def cards_of(asking: Asking) -> list[Approval]:
    return [card for card in asking.cards() if card.client_id == asking.agent.client_id]


def told(call: Callable[[], object]) -> Callable[[], httpx.Response]:
    """Return a call that answers as a request does: 200 where it was done."""
    return lambda: httpx.Response(200 if call() in (Outcome.DONE, None) else 409)


class TestRaces:
    def test_twenty_different_questions_at_once_are_three_cards(
        self, raced: Asking, workers: list[dict[str, Any]]
    ) -> None:
        calls = [
            partial(a.ask, binding_message=f"number {i}")
            for i, a in enumerate(spread(raced, workers, 20))
        ]
        answers = at_once(calls)
        assert sorted(a.status_code for a in answers) == [200] * OPEN_AT_MOST + [403] * 17
        assert len(cards_of(raced)) == OPEN_AT_MOST

    def test_twenty_times_the_same_at_once_is_one_card_with_twenty_ids(
        self, raced: Asking, workers: list[dict[str, Any]]
    ) -> None:
        answers = at_once([a.ask for a in spread(raced, workers, 20)])
        assert {a.status_code for a in answers} == {200}
        assert len({a.json()["auth_req_id"] for a in answers}) == 20
        assert len(cards_of(raced)) == 1

    def test_of_a_yes_and_a_no_at_once_one_is_heard(
        self, asking: Asking, workers: list[dict[str, Any]]
    ) -> None:
        for number in range(4):
            other = asking_of(asking.world)
            asked = other.asked(binding_message=f"number {number}")
            (card,) = other.cards()
            presses = [told(lambda c=card, o=other: o.say_yes(c))] * 4
            presses += [told(lambda c=card, o=other: o.say_no(c))] * 4
            answers = at_once(presses)
            assert [a.status_code for a in answers].count(200) == 1
            heard = other.cards()[0].status
            assert (other.poll(asked).status_code == 200) == (heard == "approved")
            events = [
                e["kind"]
                for e in asking.world.events()
                if e["facts"].get("approval_id") == card.id and e["kind"] != "delegation.issued"
            ]
            assert sorted(events) == sorted(["approval.opened", f"approval.{heard}"])

    def test_redeemed_by_twenty_on_two_workers_it_is_one_token(
        self, raced: Asking, workers: list[dict[str, Any]]
    ) -> None:
        ids = [raced.asked() for _ in range(4)]
        raced.say_yes(cards_of(raced)[0])
        askers = spread(raced, workers, 20)
        answers = at_once([partial(a.poll, ids[i % 4]) for i, a in enumerate(askers)])
        assert {a.status_code for a in answers} == {200}
        claims = [decode(a.json()["access_token"])[1] for a in answers]
        assert len({(c["jti"], c["delegation_id"], c["exp"]) for c in claims}) == 1
        issued = [e["facts"]["jti"] for e in raced.world.events("delegation.issued")]
        assert issued.count(claims[0]["jti"]) == 1

    @pytest.mark.parametrize("ending", ["the hold", "the agent", "the person", "the ceiling"])
    def test_what_was_redeemed_while_it_ended_is_dead(
        self, world: World, workers: list[dict[str, Any]], ending: str
    ) -> None:
        name = f"raced-{len(world.keys)}"
        world.register(name)
        for _ in range(3):
            asking = asking_of(world, name, "eve")
            asked = asking.asked()
            asking.say_yes(cards_of(asking)[0])
            ends: dict[str, Callable[[], object]] = {
                "the hold": lambda a=asking: a.agent.revoke(a.hold) and None,
                "the agent": lambda: (
                    stop_agent(world.context.db, name, Status.SUSPENDED, why="suspended") and None
                ),
                "the person": lambda a=asking: world.leave(a.person),
                "the ceiling": lambda: world.edit(name, scope=frozenset({"calendar:read"})),
            }
            polls = [partial(a.poll, asked) for a in spread(asking, workers, 12)]
            answers = at_once([*polls[:6], told(ends[ending]), *polls[6:]])
            assert all(a.status_code in (200, 400, 401, 403) for a in answers)
            returned = [a.json() for a in answers if a.content]
            tokens = [t["access_token"] for t in returned if "access_token" in t]
            assert not any(world.is_active(t, "pay-api") for t in tokens)
            start_agent(world.context.db, name)
            world.edit(name, scope=EVERYTHING)

    def test_a_yes_while_the_delegation_ends_gives_nothing(
        self, world: World, workers: list[dict[str, Any]]
    ) -> None:
        for _ in range(3):
            asking = asking_of(world)
            asked = asking.asked()
            (card,) = asking.cards()
            at_once(
                [
                    told(lambda a=asking, c=card: a.say_yes(c)),
                    told(lambda a=asking: a.agent.revoke(a.hold) and None),
                ]
            )
            assert asking.poll(asked).status_code == 400


class TestTiringAPerson:
    def test_no_thousand_requests_hide_what_another_agent_asks(self, world: World) -> None:
        """Cards that run out at once may not push one that waits off the page."""
        asking = asking_of(world)
        asking.asked(binding_message="the one that matters")
        bomber = replace(
            asking, agent=world.agent("mallory"), hold=world.hold("mallory", asking.person)
        )
        answers: list[int] = []
        for number in range(210):
            answer = bomber.ask(binding_message=f"number {number}", requested_expiry="1")
            answers.append(answer.status_code)
        assert set(answers) == {200, 403}
        page = world.browser(asking.person).get(world.metadata["approvals_page"])
        assert "the one that matters" in page.text

    def test_nor_what_the_person_has_said_yes_to(self, world: World) -> None:
        asking = asking_of(world)
        asking.asked()
        asking.say_yes()
        page = world.browser(asking.person).get(world.metadata["approvals_page"])
        assert "you said yes" in page.text

    def test_asking_for_ids_of_one_card_comes_to_an_end(self, asking: Asking) -> None:
        answers = [asking.ask().status_code for _ in range(55)]
        assert answers.count(200) == 50
        assert answers[50:] == [403] * 5

    def test_after_a_no_no_other_way_of_asking_the_same_is_heard(self, asking: Asking) -> None:
        """Neither other words, nor a token of another hold, nor a sub-agent, nor the exchange."""
        world = asking.world
        taken = world.hand_over(asking.hold, "planner", "booker", "flights:search")
        asking.asked()
        asking.say_no()
        again = replace(asking, hold=world.hold("planner", asking.person))
        booker = replace(asking, agent=world.agent("booker"), hold=taken)
        for other in (asking, again, booker):
            assert outcome(other.ask(binding_message="please")) == (403, "access_denied")
            stepped = other.agent.exchange(
                other.hold, resource=PAY, scope="pay:transfer", binding_message="pretty please"
            )
            assert outcome(stepped) == (400, "access_denied")
        assert len(asking.cards()) == 1


class TestWhoDecides:
    """V11: over the page, with everything that an agent has."""

    def test_no_credential_of_an_agents_is_one_of_a_persons(self, asking: Asking) -> None:
        asked = asking.asked()
        (card,) = asking.cards()
        page = f"{asking.world.metadata['approvals_page']}/{card.id}"
        pressed = {"decision": "approve", "shown": card.content_hash, "scope": "pay:transfer"}
        assertion = asking.agent.client_assertion()
        for headers, more in (
            ({"Authorization": f"Bearer {asking.hold}"}, {}),
            ({"Authorization": "Basic cGxhbm5lcjp4"}, {}),
            ({"Cookie": f"session={asking.hold}"}, {}),
            ({}, {"client_id": "planner", "client_assertion": assertion}),
            ({}, {"access_token": asking.hold}),
        ):
            httpx.post(page, data=pressed | more, headers=headers, trust_env=False)
            assert asking.cards()[0].status == "pending"
        assert outcome(asking.poll(asked)) == (400, "authorization_pending")

    @pytest.mark.parametrize("shown", ["\x00", "a\x00b", "é" * 64, "\U0001f600", "x" * 9000, ""])
    def test_what_is_no_hash_is_no_500(self, asking: Asking, shown: str) -> None:
        asking.asked()
        browser = asking.world.browser(asking.person)
        page = browser.get(asking.world.metadata["approvals_page"]).text
        form = read_form(page)
        sent = {n: v for n, v in form.items() if n not in ("action", "shown")}
        for decision in ("approve", "deny"):
            answer = browser.post(
                form["action"][0],
                data=sent | {"shown": shown, "decision": decision, "lifetime": "60"},
            )
            assert answer.status_code in (303, 400, 409), answer.text
        assert asking.cards()[0].status == "pending"

    def test_an_id_that_was_guessed_is_nobodys(self, asking: Asking) -> None:
        asking.asked()
        (card,) = asking.cards()
        browser = asking.world.browser(asking.person)
        form = read_form(browser.get(asking.world.metadata["approvals_page"]).text)
        token = {n: v for n, v in form.items() if "csrf" in n}
        other = "A" * 16
        assert other != card.id
        for guess in (other, card.id[:-1], card.id + "A", "%00", "..%2f" + card.id):
            url = f"{asking.world.metadata['approvals_page']}/{guess}"
            answer = browser.post(url, data=token | {"decision": "approve"})
            assert answer.status_code in (303, 404), answer.text
        assert asking.cards()[0].status == "pending"


def test_a_stop_that_comes_too_late_for_the_card_stops_the_agent(asking: Asking) -> None:
    """PROTOCOL §5: "Deny and stop this agent" is one press, and the agent set the card's time."""
    asking.asked(requested_expiry="1")
    browser = asking.world.browser(asking.person)
    form = read_form(browser.get(asking.world.metadata["approvals_page"]).text)
    asking.world.pass_time(2)
    browser.post(form.pop("action")[0], data=form | {"decision": "stop"})
    assert not asking.agent.introspect(asking.hold).json()["active"]
