"""What must hold of the rows after each step of a history: the sentences of docs/invariants.md."""

from deputize.agents.blueprints import follow
from deputize.agents.lifecycle import Status
from deputize.delegation.node import Delegation
from deputize.settings import Settings
from deputize.tasks.lifecycle import RUNNING, sources
from deputize.tasks.models import Task
from invariants.rows import BUDGET, Rows

#: What is said of a task when it is made, and stays so.
MADE_WITH = ("person_id", "agent", "started_at", "exchanges", "spawned", "elevated", "heartbeat")


def what_must_hold(before: Rows, rows: Rows, settings: Settings) -> None:
    """Look at all of it.

    :param before: what was there after the step before
    """
    authority_only_narrows(rows)
    what_was_taken_or_ended_stays_so(before, rows)
    tasks_move_along_their_lifecycle(before, rows)
    budgets_bind(rows, settings)
    spawned_agents_end_with_their_task(rows, settings)
    instances_are_as_their_blueprint(rows)
    whoever_acts_has_somebody_who_answers(rows)


def authority_only_narrows(rows: Rows) -> None:
    """V1, V3, V4, V6, V7, V8 of every node."""
    for node in rows.nodes.values():
        parent = rows.nodes[node.parent_id] if node.parent_id else None
        if parent is not None:
            _check_child(node, parent)
        if node.ended_at is None:
            _check_not_ended(node, rows)
        if rows.is_alive(node):
            _check_alive(node, rows)
            if parent is not None:
                _check_below(node, parent, rows)


def _check_child(node: Delegation, parent: Delegation) -> None:
    assert node.person_id == parent.person_id
    assert node.task_id == parent.task_id
    assert node.path == f"{parent.path}{node.id}/"
    if node.actor != parent.actor:
        assert parent.target == node.actor, "no actor changes but by a hand-over to it"
        assert node.chain == (*parent.chain, node.actor)
    else:
        assert node.chain == parent.chain
    assert parent.ended_at is None or node.ended_at is not None


def _check_not_ended(node: Delegation, rows: Rows) -> None:
    """Whatever ends a task, a person or an agent ends each node in the same transaction."""
    assert rows.tasks[node.task_id].status in RUNNING
    assert rows.persons[node.person_id] == "active"
    for name in node.chain:
        assert rows.agents[name].status == Status.ACTIVE


def _check_alive(node: Delegation, rows: Rows) -> None:
    for name in node.chain:
        assert node.scope <= rows.agents[name].scope
        assert node.resources <= rows.agents[name].resources
        assert rows.now < node.expires_at <= rows.agents[name].expires_at
        assert node.depth <= rows.agents[name].max_delegation_depth
    assert len(set(node.chain)) == node.depth == len(node.chain)


def _check_below(node: Delegation, parent: Delegation, rows: Rows) -> None:
    assert rows.is_alive(parent)
    assert node.scope <= parent.scope | rows.approved.get(node.id, frozenset())
    assert node.resources <= parent.resources
    assert node.expires_at <= parent.expires_at
    assert node.max_depth <= parent.max_depth
    assert node.pass_on <= parent.pass_on


def what_was_taken_or_ended_stays_so(before: Rows, rows: Rows) -> None:
    """V2, V16: over time a node only shrinks, and an end is final."""
    for node in before.nodes.values():
        after = rows.nodes[node.id]
        assert node.ended_at is None or after.ended_at == node.ended_at
        assert after.scope <= node.scope
        assert after.resources <= node.resources
        assert after.pass_on <= node.pass_on
        assert after.expires_at <= node.expires_at
        assert after.max_depth <= node.max_depth
    for known in before.agents.values():
        if known.status == Status.RETIRED:
            assert rows.agents[known.client_id].status == Status.RETIRED


def tasks_move_along_their_lifecycle(before: Rows, rows: Rows) -> None:
    """V2: one step at a time; and what time has ended runs no more, whoever says what."""
    for task_id, was in before.tasks.items():
        now_there = rows.tasks[task_id]
        if was.status not in RUNNING:
            assert now_there == was, "an end is final"
        elif not was.runs_at(before.now):
            assert not now_there.runs_at(rows.now), "time has ended it"
        if now_there.status != was.status:
            assert was.status in sources(now_there.status)  # type: ignore[arg-type]
        assert now_there.deadline >= was.deadline
        for name in MADE_WITH:
            assert getattr(now_there, name) == getattr(was, name)
    for of in rows.tasks.values():
        _check_task(of)


def _check_task(of: Task) -> None:
    assert (of.ended_at is None) == (of.status in RUNNING) == (of.ended_why is None)
    waits_for_a_report = of.status == "open" and of.heartbeat is not None
    assert (of.heard_by is not None) == waits_for_a_report
    if of.status == "proposed":
        assert of.completion == "person"
        assert of.proposed is not None


def budgets_bind(rows: Rows, settings: Settings) -> None:
    for of in rows.tasks.values():
        for quota in BUDGET:
            assert rows.used.get(f"{quota.name}:{of.id}", 0) <= quota.most(settings, of)


def spawned_agents_end_with_their_task(rows: Rows, settings: Settings) -> None:
    """V18."""
    spawned = [one for one in rows.agents.values() if one.parent]
    for of in rows.tasks.values():
        number = sum(child.task_id == of.id for child in spawned)
        most = settings.agents.max_spawned if of.spawned is None else of.spawned
        assert number <= most
    for child in spawned:
        parent = rows.agents[child.parent or ""]
        if child.status != Status.RETIRED:
            assert child.expires_at <= parent.expires_at
            assert child.scope <= parent.scope
            assert rows.tasks[child.task_id or ""].status in RUNNING
            assert rows.nodes[child.parent_delegation_id or ""].ended_at is None


def instances_are_as_their_blueprint(rows: Rows) -> None:
    for one in rows.agents.values():
        if one.blueprint is not None and one.status == Status.ACTIVE:
            blueprint = rows.agents[one.blueprint]
            assert blueprint.status == Status.ACTIVE
            assert one == follow(one, blueprint)


def whoever_acts_has_somebody_who_answers(rows: Rows) -> None:
    for one in rows.agents.values():
        assert one.status != Status.ACTIVE or one.owner not in rows.left
