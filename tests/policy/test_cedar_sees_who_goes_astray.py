"""What was refused to an agent lately is told to the policies: trust is judged anew as it runs."""

import pytest
from sqlalchemy import text

from deputize.audit.lately import _NEWEST, find_lately
from support.agents_http import Agent, outcome
from support.asking import Asking
from support.world import CALENDAR, FLIGHTS, World


@pytest.fixture(scope="module")
def policies() -> str:
    return """
        @id("gone-astray") forbid (principal, action, resource)
        when { context.signals.refused >= 5 };

        @id("denied") @outcome("step_up")
        forbid (principal, action, resource == Resource::"https://flights.example")
        when { context.signals.denied >= 1 };
    """


def astray(world: World, name: str) -> tuple[Agent, str]:
    """Return an agent that has asked five times for what it may not have, and its hold."""
    world.register(name)
    agent, hold = world.agent(name), world.hold(name)
    for _ in range(5):
        assert outcome(agent.exchange(hold, scope="unknown")) == (400, "invalid_scope")
    return agent, hold


def test_one_that_tries_doors_gets_nothing_more(world: World) -> None:
    agent, hold = astray(world, "tries-doors")
    refused = world.refused(agent.exchange, hold, resource=CALENDAR)
    assert refused[2] == "policy.denied"


def test_what_it_has_already_is_good_no_more(world: World) -> None:
    world.register("had-one")
    agent, hold = world.agent("had-one"), world.hold("had-one")
    token = agent.exchange(hold, resource=CALENDAR).json()["access_token"]
    assert world.is_active(token)
    for _ in range(5):
        agent.exchange(hold, scope="unknown")
    assert not world.is_active(token)


def test_others_are_not_judged_by_it(world: World) -> None:
    astray(world, "bad-neighbour")
    world.register("neighbour")
    answer = world.agent("neighbour").exchange(world.hold("neighbour"), resource=CALENDAR)
    assert answer.status_code == 200


def test_an_hour_of_quiet_later_it_is_judged_anew(world: World) -> None:
    agent, _ = astray(world, "calms-down")
    world.pass_time(3601)
    answer = agent.exchange(world.hold("calms-down"), resource=CALENDAR)
    assert answer.status_code == 200


def test_after_a_no_the_person_is_asked_where_nobody_was(world: World) -> None:
    world.register("was-denied")
    agent, hold = world.agent("was-denied"), world.hold("was-denied")
    assert agent.exchange(hold, resource=FLIGHTS).status_code == 200
    asking = Asking(world, agent, hold)
    asking.asked()
    asking.say_no()
    answer = agent.exchange(hold, resource=FLIGHTS)
    assert outcome(answer) == (400, "interaction_required")


def test_they_are_found_by_an_index_of_their_own(world: World) -> None:
    """However much the agent has done in that hour."""
    db = world.context.db
    spelled, order = _NEWEST.text(db.engine.dialect)
    values = {"agent": "planner", "since": 0}
    explain = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
    with db.read() as tx:
        assert find_lately(tx, "nobody").refused == 0
        if not db.is_sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        given = values if order is None else tuple(values[name] for name in order)
        plan = str(tx.connection.exec_driver_sql(f"{explain} {spelled}", given).all())
    assert "ix_deputize_event_refused" in plan
