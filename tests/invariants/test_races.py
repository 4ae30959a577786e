"""What is used once is used once, and what has ended stays ended: with real threads, in
two processes, on both databases.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any

import httpx
import pytest

from deputize.agents.lifecycle import Status
from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope, retire_scope
from deputize.endings.end_delegation import end_delegation
from deputize.endings.end_task import end_task
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import start_agent, stop_agent
from deputize.endings.sweep import sweep
from support.agents_http import Agent, decode, jwks, new_key, pkce, thumbprint
from support.world import CALENDAR, CALLBACK, World, another_worker, read_form

AT_ONCE = 20


@pytest.fixture(scope="module")
def workers(world: World) -> Iterator[list[dict[str, Any]]]:
    """The metadata of two worker processes of the same server."""
    with another_worker(world) as other:
        yield [world.metadata, other]


def at_once(calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Make all calls at the same moment."""
    barrier = Barrier(len(calls))

    def call(one: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def on_each(agent: Agent, workers: list[dict[str, Any]], number: int = AT_ONCE) -> list[Agent]:
    """Return the agent `number` times, alternating between the workers."""
    return [replace(agent, metadata=workers[i % len(workers)]) for i in range(number)]


def only_winner(answers: list[httpx.Response], won: int = 200) -> httpx.Response:
    winners = [a for a in answers if a.status_code == won]
    assert len(winners) == 1, [a.text for a in answers]
    assert all(a.status_code in (won, 400, 401) for a in answers)
    return winners[0]


def pushed_link(world: World) -> dict[str, str]:
    """Let planner push a request; return what the browser carries."""
    answer = world.agent("planner").post(
        "pushed_authorization_request_endpoint",
        response_type="code",
        redirect_uri=CALLBACK,
        scope="calendar:read",
        code_challenge=pkce()[1],
        code_challenge_method="S256",
    )
    return {"client_id": "planner", "request_uri": answer.json()["request_uri"]}


def test_one_code_by_twenty_is_redeemed_once_and_the_winners_token_lives(
    world: World, workers: list[dict[str, Any]]
) -> None:
    verifier, challenge = pkce()
    code = world.code(challenge)
    calls = [
        lambda agent=agent: agent.post(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=verifier,
        )
        for agent in on_each(world.agent("planner"), workers)
    ]
    token = only_winner(at_once(calls)).json()["access_token"]
    assert world.agent("planner").introspect(token).json()["active"] is True


def test_one_pushed_request_answered_in_twenty_windows_gives_one_code(world: World) -> None:
    link = pushed_link(world)
    browser = world.browser()
    page = browser.get(world.metadata["authorization_endpoint"], params=link)
    form = read_form(page.text) | {"decision": ["allow"]}
    action = form.pop("action")[0]
    before = len(world.events("consent.granted"))
    only_winner(at_once([lambda: browser.post(action, data=form)] * AT_ONCE), 303)
    assert len(world.events("consent.granted")) == before + 1


def test_one_pushed_request_answered_yes_and_no_at_once_has_one_answer(world: World) -> None:
    endpoint = world.metadata["authorization_endpoint"]
    browser = world.browser()
    for _ in range(5):
        page = browser.get(endpoint, params=pushed_link(world))
        form = read_form(page.text)
        action = form.pop("action")[0]
        yes, no = ({**form, "decision": [decision]} for decision in ("allow", "deny"))
        only_winner(at_once([partial(browser.post, action, data=said) for said in (yes, no)]), 303)


def test_one_pushed_request_opened_by_two_people_at_once_is_of_one(world: World) -> None:
    for _ in range(5):
        link, endpoint = pushed_link(world), world.metadata["authorization_endpoint"]
        browsers = [world.browser(person) for person in ("ana", "ben")]
        only_winner(at_once([partial(b.get, endpoint, params=link) for b in browsers]))


def test_one_assertion_by_twenty_authenticates_once(
    world: World, workers: list[dict[str, Any]]
) -> None:
    hold = world.hold()
    planner = world.agent("planner")
    assertion = planner.client_assertion()
    calls = [
        lambda agent=agent: agent.exchange(hold, resource=CALENDAR, client_assertion=assertion)
        for agent in on_each(planner, workers)
    ]
    answers = at_once(calls)
    assert {a.json()["error"] for a in answers if a.status_code == 401} == {"invalid_client"}
    only_winner(answers)


def test_one_spawn_token_by_twenty_plants_one_agent(
    world: World, workers: list[dict[str, Any]]
) -> None:
    hold, key = world.hold(), new_key()
    spawning = world.agent("planner").exchange(
        hold,
        resource=world.metadata["registration_endpoint"],
        scope="calendar:read",
        agent_jkt=thumbprint(key),
    )
    bearer = {"Authorization": f"Bearer {spawning.json()['access_token']}"}
    calls = [
        lambda at=at: httpx.post(
            at["registration_endpoint"], json={"jwks": jwks(key)}, headers=bearer, timeout=30
        )
        for at in (workers[i % 2] for i in range(AT_ONCE))
    ]
    child = only_winner(at_once(calls), 201).json()
    assert child["agent_parent"] == "planner"


def test_one_refresh_token_by_twenty_leaves_one_living_successor(
    world: World, workers: list[dict[str, Any]]
) -> None:
    first = world.consent().json()
    calls = [
        lambda agent=agent: agent.post(
            "token_endpoint", grant_type="refresh_token", refresh_token=first["refresh_token"]
        )
        for agent in on_each(world.agent("planner"), workers)
    ]
    answers = at_once(calls)
    successors = [a.json()["refresh_token"] for a in answers if a.status_code == 200]
    assert successors
    planner = world.agent("planner")
    living = [t for t in successors if planner.introspect(t).json()["active"]]
    assert len(living) == 1
    assert planner.introspect(first["access_token"]).json()["active"] is True


def test_the_same_new_lease_by_twenty_is_one_node(
    world: World, workers: list[dict[str, Any]]
) -> None:
    hold = world.hold()
    calls = [
        lambda agent=agent: agent.exchange(hold, resource=CALENDAR)
        for agent in on_each(world.agent("planner"), workers)
    ]
    answers = at_once(calls)
    assert {a.status_code for a in answers} == {200}
    nodes = {decode(a.json()["access_token"])[1]["delegation_id"] for a in answers}
    assert len(nodes) == 1


@pytest.mark.parametrize("ending", ["delegation", "task", "agent", "revocation"])
def test_no_child_is_born_under_an_ending(
    world: World, workers: list[dict[str, Any]], ending: str
) -> None:
    """Exchanges in flight while the root ends, again and again: none that was returned lives."""
    for _ in range(3):
        hold = world.hold()
        end = partial(end_by, ending, world, hold)
        scopes = ("calendar:read", "calendar:write", "calendar:read calendar:write", None)
        calls: list[Callable[[], httpx.Response]] = [
            lambda a=agent, s=scopes[i % 4], h=hold: a.exchange(h, resource=CALENDAR, scope=s)
            for i, agent in enumerate(on_each(world.agent("planner"), workers, 50))
        ]
        answers = at_once([*calls[:25], end, *calls[25:]])
        returned = [a.json()["access_token"] for a in answers if a.status_code == 200]
        assert all(a.status_code in (200, 204, 400, 401) for a in answers)
        assert not any(world.is_active(token) for token in returned)
        start_agent(world.context.db, "planner")


def end_by(ending: str, world: World, hold: str) -> httpx.Response:
    db = world.context.db
    if ending == "delegation":
        end_delegation(db, decode(hold)[1]["delegation_id"], why="ended_by_person")
    elif ending == "task":
        end_task(db, decode(hold)[1]["task_id"], why="cancelled")
    elif ending == "agent":
        stop_agent(db, "planner", Status.SUSPENDED, why="suspended")
    else:
        assert world.agent("planner").revoke(hold).status_code == 200
    return httpx.Response(204)


def test_no_code_redeemed_while_its_agent_is_suspended_lives(
    world: World, workers: list[dict[str, Any]]
) -> None:
    db, planner = world.context.db, world.agent("planner")
    for _ in range(5):
        proofs = [pkce() for _ in range(6)]
        codes = [(world.code(challenge), verifier) for verifier, challenge in proofs]

        calls: list[Callable[[], httpx.Response]] = [
            lambda a=agent, c=code, v=verifier: a.post(
                "token_endpoint",
                grant_type="authorization_code",
                code=c,
                redirect_uri=CALLBACK,
                code_verifier=v,
            )
            for agent, (code, verifier) in zip(on_each(planner, workers, 6), codes, strict=True)
        ]
        answers = at_once([*calls[:3], partial(end_by, "agent", world, codes[0][0]), *calls[3:]])
        start_agent(db, "planner")
        returned = [a.json()["access_token"] for a in answers if a.status_code == 200]
        assert not any(planner.introspect(t).json()["active"] for t in returned)


def test_endings_and_edits_at_once_all_come_to_an_end(world: World) -> None:
    """None waits for another in a circle, and afterwards nothing below lives."""
    db, person = world.context.db, "eve"
    for _ in range(3):
        holds = [world.hold("planner", person) for _ in range(4)]
        taken = [world.hand_over(h, "planner", "booker", "flights:search") for h in holds]
        root = decode(holds[0])[1]

        def edit() -> None:
            world.edit("booker", scope=frozenset({"flights:search", "calendar:read"}))

        endings: list[Callable[[], object]] = [
            edit,
            partial(person_left, db, person, why="left"),
            partial(stop_agent, db, "booker", Status.SUSPENDED, why="suspended"),
            partial(end_delegation, db, root["delegation_id"], why="ended_by_person"),
            partial(end_task, db, root["task_id"], why="cancelled"),
            partial(retire_scope, db, "calendar:write"),
            partial(sweep, db),
        ]
        with ThreadPoolExecutor(len(endings)) as pool:
            for done in [pool.submit(ending) for ending in endings]:
                done.result(timeout=60)
        tokens = [*holds, *taken]
        assert not any(world.agent("planner").introspect(t).json()["active"] for t in tokens)
        start_agent(db, "booker")
        declare_scope(db, Scope("calendar:write", CALENDAR, "Change your calendar"))
