"""A directory of policies is checked at start: what is wrong is told with file and line."""

from pathlib import Path

import pytest
from cedarpy import Schema, is_authorized

from deputize.part import ConfigurationError
from deputize.policy.cedar import Cedar, entities_of, request_of
from deputize.policy.cedar_files import load_policies, schema
from deputize.policy.find import open_point
from deputize.policy.question import AgentFacts, Question, SignIn, TaskFacts
from deputize.settings import Policy

ALL = "permit (principal, action, resource);"
CALENDAR = "https://calendar.example"
NOW = 1_764_097_200  # Tuesday 25 November 2025, 19:00 UTC
AGENT = AgentFacts("booker", "self", "active", "ben", NOW - 60, True, refused=3, denied=1)
QUESTION = Question(
    action="issue",
    agent=AGENT,
    resource=CALENDAR,
    scope=frozenset({"calendar:read"}),
    chain=("planner", "booker"),
    now=NOW,
    grant_type="refresh_token",
    details='[{"type":"payment"}]',
    person="p",
    task=TaskFacts("t", NOW - 10, NOW + 10),
    sign_in=SignIn(NOW - 5, "pwd"),
)
BARE = Question(
    "introspect", AgentFacts("a", "declared", "active", None, NOW), "x", frozenset(), ("a",), NOW
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "all.cedar").write_text(f"// everything; and more\n\n{ALL}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("permit (principal action, resource);", 1, "unexpected token"),
        ("\n// a comment; with a semicolon\nforbid (principal, action);", 3, "`resource`"),
        ("\n\nforbid (principal, action, resource) when { context.hours > 3 };", 3, "`hours`"),
        (f'{ALL}\nforbid (principal, action, resource) when {{ context.depth > "x" }};', 2, "Long"),
        ('forbid (principal, action == Action::"isue", resource);', 1, "isue"),
        ('forbid (principal, action, resource) when { context.person == "x" };', 1, "person"),
        ("permit (principal == ?principal, action, resource);", 1, "template"),
        ('@outcome("step_up") permit (principal, action, resource);', 1, "@outcome"),
        ('@outcome("maybe") forbid (principal, action, resource);', 1, "@outcome"),
        (f'@id("a") {ALL}\n@id("a") {ALL}', 2, "@id a"),
        (f"{ALL} and so on", 1, "unexpected"),
        ('forbid (principal, action, resource) when { context.depth > "a;b" };', 1, "Long"),
    ],
)
def test_a_mistake_is_told_with_its_line(directory: Path, text: str, line: int, told: str) -> None:
    file = directory / "more.cedar"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load_policies(directory)
    assert str(error.value).startswith(f"{file}:{line}: ")
    assert told in str(error.value)


def test_every_mistake_is_told(directory: Path) -> None:
    bad = "forbid (principal, action, resource) when { context.x };"
    (directory / "a.cedar").write_text(f"{bad}\n{bad}")
    (directory / "b.cedar").write_text(bad)
    with pytest.raises(ConfigurationError) as error:
        load_policies(directory)
    assert len(str(error.value).splitlines()) == 3


def test_a_file_that_is_no_text(directory: Path) -> None:
    (directory / "a.cedar").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_policies(directory)


def test_an_empty_directory_would_deny_everything(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no \*\.cedar file"):
        open_point(Policy(engine="cedar", directory=str(tmp_path)))


def test_a_policy_without_an_id_is_named_by_its_place(directory: Path) -> None:
    assert Cedar(directory).find(QUESTION).policies == ("all.cedar:3",)


def test_what_nothing_permits_is_denied(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_text('permit (principal == Agent::"x", action, resource);')
    assert Cedar(tmp_path).find(QUESTION).outcome == "deny"


def test_a_policy_that_fails_denies(directory: Path) -> None:
    (directory / "a.cedar").write_text(
        '@id("overflows") forbid (principal, action, resource)'
        " when { context.time.epoch * 9000000000000000000 > 1 };"
    )
    verdict = Cedar(directory).find(QUESTION)
    assert (verdict.outcome, verdict.policies) == ("deny", ("overflows (failed)",))


def test_one_no_among_doubts_is_a_no(directory: Path) -> None:
    doubt = '@id("doubt") @outcome("step_up") forbid (principal, action, resource);'
    (directory / "a.cedar").write_text(doubt)
    assert Cedar(directory).find(QUESTION).outcome == "step-up"
    (directory / "b.cedar").write_text('@id("no") forbid (principal, action, resource);')
    verdict = Cedar(directory).find(QUESTION)
    assert (verdict.outcome, verdict.policies) == ("deny", ("doubt", "no"))


@pytest.mark.parametrize(
    "condition",
    [
        'principal.origin == "self" && principal.age == 60',
        'principal has owner && principal.owner == "ben"',
        'resource.kind == "api"',
        'context.root == "planner" && context.depth == 2',
        'context.chain.contains("booker")',
        'context.scope.containsAny(["calendar:read", "x"])',
        'context.details_types.contains("payment")',
        "context.time.hour == 19 && context.time.weekday == 2",
        "context has task && context.task.seconds_left == 10 && context.task.age == 10",
        'context has sign_in && context.sign_in has acr && context.sign_in.acr == "pwd"',
        "context.signals.new_agent && context.signals.self_registered",
        "context.signals.unconfirmed && context.signals.handed_over",
        "context.signals.refused == 3 && context.signals.denied == 1",
        "!context.approved",
        'context has grant_type && context.grant_type == "refresh_token"',
    ],
)
def test_a_policy_can_speak_of_it(tmp_path: Path, condition: str) -> None:
    (tmp_path / "a.cedar").write_text(
        f"permit (principal, action, resource) when {{ {condition} }};"
    )
    assert Cedar(tmp_path).find(QUESTION).outcome == "allow"


@pytest.mark.parametrize("question", [QUESTION, BARE])
def test_what_is_asked_fits_the_schema(question: Question) -> None:
    request, typed = request_of(question), Schema.from_str(schema())
    answer = is_authorized(request, ALL, entities_of(question), typed)
    assert answer.diagnostics.errors == []
    assert answer.allowed


@pytest.mark.parametrize("odd", ['"', "\\", "\n", "é", '") ; permit(principal', "\u2028"])
def test_odd_names_are_only_names(directory: Path, odd: str) -> None:
    agent = AgentFacts(odd, odd, odd, odd, 0)
    odd_one = Question(odd, agent, odd, frozenset({odd}), (odd,), NOW, grant_type=odd, person=odd)
    assert Cedar(directory).find(odd_one).outcome == "allow"
