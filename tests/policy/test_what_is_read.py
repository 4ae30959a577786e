"""Cedar is told what its policies read, and answers as if it had been told everything."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deputize.policy.cedar import EVERYTHING, Cedar
from deputize.policy.cedar_reads import pick
from deputize.policy.question import AgentFacts, Question, SignIn, TaskFacts

NOW = 1_764_097_200

#: Each reads something in a way of its own.
READING = (
    'principal.origin == "self"',
    "principal.age > 100",
    'principal has owner && principal.owner == "ben"',
    'Agent::"planner".origin == "declared"',
    'principal == Agent::"planner"',
    '(if context.approved then principal else Agent::"other") has owner',
    'resource.kind == "api"',
    '[resource, Resource::"https://x.example"].contains(resource)',
    "context.depth > 1",
    'context.chain.contains("booker")',
    "context has task",
    "context has task && context.task.age > 100",
    "context has task && context.task has id",
    'context has task && context.task has id && context.task.id == "t1"',
    "context has task.id",
    "context.time.hour >= 12",
    "context.time == {epoch: 1764097200, hour: 19, weekday: 2}",
    "context.signals == context.signals",
    'context has sign_in && context.sign_in has acr && context.sign_in.acr == "phr"',
    '{"has": {left: context.depth, attr: "x"}, y: context.scope}.y.contains("calendar:read")',
    'context["root"] like "plan*"',
    "context == context",
    "{c: context}.c.approved",
)


def conditions() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(READING).map("({})".format),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
                "({0[0]} {0[1]} {0[2]})".format
            ),
            inner.map("(!{})".format),
            st.tuples(inner, inner, inner).map("(if {0[0]} then {0[1]} else {0[2]})".format),
        ),
        max_leaves=4,
    )


def policies() -> st.SearchStrategy[str]:
    effects = st.sampled_from(["permit", "forbid", '@outcome("step_up") forbid'])
    one = st.tuples(effects, conditions()).map(
        "{0[0]} (principal, action, resource) when {{ {0[1]} }};".format
    )
    return st.lists(one, min_size=1, max_size=4).map(
        lambda some: "\n".join(["permit (principal, action, resource);", *some])
    )


QUESTIONS = st.builds(
    Question,
    action=st.sampled_from(["issue", "introspect"]),
    agent=st.builds(
        AgentFacts,
        st.sampled_from(["planner", "booker"]),
        st.sampled_from(["self", "declared"]),
        st.just("active"),
        st.sampled_from([None, "ben"]),
        st.sampled_from([NOW - 10, NOW - 100_000]),
    ),
    resource=st.sampled_from(["https://x.example", "https://y.example"]),
    scope=st.sampled_from([frozenset({"calendar:read"}), frozenset()]),
    chain=st.sampled_from([("planner",), ("planner", "booker")]),
    now=st.sampled_from([NOW, NOW + 9 * 3600]),
    person=st.sampled_from([None, "p"]),
    task=st.sampled_from([None, TaskFacts(None, None, NOW + 10), TaskFacts("t1", NOW - 500, NOW)]),
    sign_in=st.sampled_from([None, SignIn(NOW - 5), SignIn(NOW - 5, "phr")]),
    approved=st.booleans(),
)


@given(text=policies(), asked=st.lists(QUESTIONS, min_size=1, max_size=6))
def test_the_answer_is_that_of_everything(
    text: str, asked: list[Question], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = with_policies(tmp_path_factory.mktemp("policies"), text)
    cedar, told_all = Cedar(directory), Cedar(directory)
    told_all._policies = replace(told_all._policies, reads=EVERYTHING)
    for question in (*asked, *asked):
        assert cedar.find(question) == told_all.find(question)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("context.time.hour > 3", {"time": {"hour": 19}}),
        ("context has task", {"task": {}}),
        ("context has task && context.task.age > 3", {"task": {"age": 10}}),
        ("context.signals == context.signals", {"signals": {
            "self_registered": True, "unconfirmed": False, "spawned": False,
            "new_agent": False, "handed_over": False, "refused": 0, "denied": 0,
        }}),
        ("context has person", {}),
        ('principal.origin == "self"', {}),
    ],
)  # fmt: skip
def test_nothing_else_is_told(condition: str, told: dict[str, object], tmp_path: Path) -> None:
    text = f"permit (principal, action, resource) when {{ {condition} }};"
    reads = Cedar(with_policies(tmp_path, text))._policies.reads
    assert pick(question().context(), reads.context) == told


def test_an_answer_that_time_changes_is_not_kept_for_later(tmp_path: Path) -> None:
    text = "permit (principal, action, resource) when { context.time.hour >= 20 };"
    cedar = Cedar(with_policies(tmp_path, text))
    evening = replace(question(), now=NOW + 3600)
    answers = [cedar.find(each).outcome for each in (question(), evening, question(), evening)]
    assert answers == ["deny", "allow", "deny", "allow"]


def question() -> Question:
    agent = AgentFacts("planner", "self", "active", "ben", NOW - 100_000)
    task = TaskFacts("t1", NOW - 10, NOW + 10)
    return Question(
        "issue", agent, "https://x.example", frozenset({"a"}), ("planner",), NOW, task=task
    )


def with_policies(directory: Path, text: str) -> Path:
    (directory / "a.cedar").write_text(text)
    return directory
