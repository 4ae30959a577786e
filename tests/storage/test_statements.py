"""How many statements each operation costs: a promise, so that none is added unseen.

Counted as the drivers are given them, in production's way: the first on PostgreSQL asks
for the time, and each of its writing transactions for its locks and the time again.
What begins, commits and tries a connection is not counted.
"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select

from deputize.approvals.models import Status, approval, asked_group
from deputize.core.secrets import digest, new_id
from deputize.endings.end_task import end_task
from deputize.host import Person
from storage.hearing import Ear
from storage.operations import OPERATIONS, Act, done
from support import agents_http
from support.asking import Asking
from support.world import World

#: By operation: on SQLite, on PostgreSQL.
COSTS: dict[str, tuple[int, int]] = {
    "a_new_lease": (9, 11),
    "a_new_node": (11, 13),
    "a_new_node_four_deep": (11, 13),
    "handing_over": (12, 14),
    "taking_what_was_handed_over": (11, 13),
    "introspection_by_an_api": (2, 3),
    "introspection_by_an_agent": (4, 6),
    "introspection_of_a_refresh_token": (5, 7),
    "a_refresh": (11, 13),
    "redeeming_a_code": (12, 14),
    "pushing_a_request": (8, 10),
    "opening_what_was_pushed": (6, 8),
    "granting_what_was_pushed": (13, 17),
    "a_token_of_its_own": (6, 8),
    "asking_to_spawn": (9, 11),
    "registering_the_spawned": (8, 10),
    "registering_itself": (3, 4),
    "revoking_a_tree": (10, 15),
    "revoking_a_token_of_its_own": (6, 10),
    "ending_a_task": (10, 11),
    "suspending_an_agent": (12, 15),
    "asking_a_person": (18, 20),
    "asking_the_same_again": (10, 12),
    "coming_back_too_early": (6, 8),
    "saying_yes": (9, 12),
    "saying_no": (6, 8),
    "redeeming_a_yes": (15, 17),
    "coming_back_for_a_lost_reply": (6, 8),
    "looking_at_what_agents_ask_me": (10, 11),
    "looking_at_my_agents": (7, 8),
    "looking_at_what_would_end": (5, 6),
    "looking_at_the_graph": (6, 7),
    "looking_at_the_graph_of_mine": (13, 14),
    "looking_at_agents": (1, 2),
    "looking_at_agents_of_mine": (1, 2),
    "looking_at_an_agent": (8, 9),
    "looking_at_what_suspending_would_end": (7, 9),
    "looking_back_at_a_task": (5, 6),
    "looking_at_how_i_am_told": (3, 4),
    "keeping_quiet_hours": (9, 11),
    "asking_for_a_test": (7, 9),
    "telling_of_a_question": (5, 6),
    "telling_of_a_night": (4, 5),
    "looking_for_what_is_to_be_sent": (1, 2),
    "sending_what_is_due": (4, 7),
    "sweeping": (13, 15),
    "sealing": (6, 8),
    "finding_nothing_to_seal": (1, 2),
    "a_person_leaving": (17, 21),
}


@pytest.fixture(scope="module")
def count(world: World) -> Callable[[Act], int]:
    """Return what counts the statements of one act."""
    ear = Ear(world.context.db)

    def counted(act: Act) -> int:
        with ear.hearing() as statements:
            done(act)
        return len(statements)

    return counted


def test_each_operation_costs_as_many_as_ever(world: World, count: Callable[[Act], int]) -> None:
    costs = {prepare.__name__: count(prepare(world)) for prepare in OPERATIONS}
    column = 0 if world.context.db.is_sqlite else 1
    assert costs == {name: both[column] for name, both in COSTS.items()}


def test_an_ending_costs_no_more_for_a_larger_tree(
    world: World, count: Callable[[Act], int]
) -> None:
    assert count(ending(world, nodes=4)) == count(ending(world, nodes=40))


def test_the_inbox_costs_no_more_for_more_cards(world: World, count: Callable[[Act], int]) -> None:
    assert count(inbox(world, of_each=1)) == count(inbox(world, of_each=20))


def inbox(world: World, of_each: int) -> Act:
    """Return a look at an inbox with so many cards that wait, were decided, and ask to second."""
    mine, theirs = (f"{who}-{of_each}" for who in ("reader", "other"))
    for name in (mine, theirs):
        world.host.people[name] = Person(name, name, frozenset({f"group-of-{mine}"}))
        asking_of(world, name)
    with world.context.db.write() as tx:
        rows = [dict(row) for row in tx.execute(select(approval)).mappings()]
        (waits,) = (row for row in rows if is_of(row, mine, Status.PENDING))
        (redeemed,) = (row for row in rows if is_of(row, mine, Status.REDEEMED))
        (others,) = (row for row in rows if is_of(row, theirs, Status.PENDING))
        copies = [again(waits) for _ in range(of_each - 1)]
        copies += [again(redeemed) for _ in range(of_each - 1)]
        seconds = [again(others) | said_yes(others) for _ in range(of_each)]
        tx.execute(insert(approval), copies + seconds)
        of_group = {"name": f"group-of-{mine}", "asked_from": 0}
        asked = [of_group | {"decision_hash": row["decision_hash"]} for row in seconds]
        tx.execute(insert(asked_group), asked)
    browser = world.browser(mine)
    shown = browser.get("/deputize/approvals").text
    assert shown.count('name="decision" value="approve"') == 2 * of_each
    assert shown.count('class="card decided"') == of_each
    return lambda: browser.get("/deputize/approvals")


def is_of(row: dict[str, Any], person: str, status: Status) -> bool:
    return row["client_id"] == f"asks-{person}" and row["status"] == status


def said_yes(row: dict[str, Any]) -> dict[str, Any]:
    return {"decision_hash": digest(new_id()), "granted_scope": row["scope"]}


def asking_of(world: World, person: str) -> None:
    """Leave one question that was redeemed, and one that waits."""
    name = f"asks-{person}"
    world.register(name)
    asking = Asking(world, world.agent(name), world.hold(name, person), person)
    asked = asking.asked()
    asking.say_yes()
    assert asking.poll(asked).status_code == 200
    asking.asked(binding_message="And once more")


def again(row: dict[str, Any]) -> dict[str, Any]:
    """Return another approval of the same delegation."""
    name = new_id()
    return row | {"id": name, "content_hash": digest(name), "request_hash": digest(f"{name}!")}


def ending(world: World, nodes: int) -> Act:
    """Return the ending of a task with that many nodes below its root."""
    takers = [f"taker-{number}-of-{nodes}" for number in range(nodes)]
    for taker in takers:
        world.register(taker)
    giver = f"giver-to-{nodes}"
    world.register(giver, delegates_to=frozenset(takers))
    hold = world.hold(giver, "ben", pass_on=tuple(takers))
    for taker in takers:
        given = world.agent(giver).exchange(hold, audience=taker, scope="calendar:read")
        assert given.status_code == 200, given.text
    task_id = agents_http.decode(hold)[1]["task_id"]
    return lambda: end_task(world.context.db, task_id, why="completed")
