"""The token exchange request: its parameters and their types."""

import pytest

from support.agents_http import ACCESS_TOKEN, Agent, outcome
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 8693", "2.1")

TYPE = "urn:ietf:params:oauth:token-type:"
JWT = f"{TYPE}jwt"
OTHER_TYPES = [f"{TYPE}{name}" for name in ("id_token", "refresh_token", "saml2", "saml1")]
OTHER_TYPES += ["access_token", "at+jwt", ACCESS_TOKEN.upper()]


@pytest.mark.parametrize("of", [ACCESS_TOKEN, JWT])
def test_an_access_token_of_ours_is_presented_by_either_of_its_types(
    planner: Agent, hold: str, of: str
) -> None:
    answer = planner.exchange(hold, subject_token_type=of, actor_token=hold, actor_token_type=of)
    assert answer.status_code == 200


@pytest.mark.parametrize("of", OTHER_TYPES)
def test_no_other_type_of_subject_token_is_understood(world: World, hold: str, of: str) -> None:
    refusal = world.refused(world.agent("planner").exchange, hold, subject_token_type=of)
    assert refusal == (400, "invalid_request", "request.invalid_request")


@pytest.mark.parametrize("of", OTHER_TYPES)
def test_no_other_type_of_actor_token_is_understood(planner: Agent, hold: str, of: str) -> None:
    answer = planner.exchange(hold, actor_token=hold, actor_token_type=of)
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("of", [*OTHER_TYPES, f"{TYPE}id-jag"])
def test_no_other_type_of_token_is_issued(planner: Agent, hold: str, of: str) -> None:
    answer = planner.exchange(hold, requested_token_type=of)
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["subject_token", "subject_token_type"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_required_is_missed(
    planner: Agent, hold: str, name: str, value: str | None
) -> None:
    answer = planner.exchange(hold, **{name: value})
    assert outcome(answer) == (400, "invalid_request")


def test_an_actor_token_needs_its_type(planner: Agent, hold: str) -> None:
    assert outcome(planner.exchange(hold, actor_token=hold)) == (400, "invalid_request")


def test_the_type_of_an_actor_token_needs_the_token(planner: Agent, hold: str) -> None:
    answer = planner.exchange(hold, actor_token_type=ACCESS_TOKEN)
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    "name", ["subject_token", "subject_token_type", "requested_token_type", "scope", "agent_jkt"]
)
def test_a_repeated_parameter_is_refused(planner: Agent, hold: str, name: str) -> None:
    valid = {
        "subject_token": hold,
        "subject_token_type": ACCESS_TOKEN,
        "requested_token_type": ACCESS_TOKEN,
        "scope": "calendar:read",
        "agent_jkt": "a" * 43,
    }
    answer = planner.exchange(hold, **{name: [valid[name]] * 2})
    assert outcome(answer) == (400, "invalid_request")


def test_a_repeated_actor_token_is_refused(planner: Agent, hold: str) -> None:
    answer = planner.exchange(hold, actor_token=[hold, hold], actor_token_type=ACCESS_TOKEN)
    assert outcome(answer) == (400, "invalid_request")


def test_authorization_details_are_refused_while_none_is_known(planner: Agent, hold: str) -> None:
    answer = planner.exchange(hold, authorization_details='[{"type": "payment"}]')
    assert outcome(answer) == (400, "invalid_authorization_details")


def test_a_parameter_that_is_not_known_is_ignored(planner: Agent, hold: str) -> None:
    assert planner.exchange(hold, purpose="none").status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("subject_token", "a" * 20_000, "invalid_request"),
        ("subject_token", "a." * 10_000, "invalid_request"),
        ("subject_token", "a" * 600_000, "invalid_request"),
        ("scope", " ".join(f"s{n}" for n in range(10_000)), "invalid_scope"),
        ("scope", "s" * 50_000, "invalid_scope"),
        ("audience", "a" * 50_000, "invalid_target"),
        ("resource", "https://" + "a" * 50_000, "invalid_target"),
    ],
)
def test_an_oversized_parameter_is_refused(
    planner: Agent, hold: str, name: str, value: str, error: str
) -> None:
    assert outcome(planner.exchange(hold, **{name: value})) == (400, error)


@pytest.mark.parametrize("name", ["subject_token", "scope", "audience", "resource", "agent_jkt"])
def test_a_nul_is_refused(planner: Agent, hold: str, name: str) -> None:
    answer = planner.exchange(hold, **{name: "a\x00b"})
    assert outcome(answer) == (400, "invalid_request")


@pytest.mark.parametrize("scope", ["calendar:réad", 'calendar"read', "calendar\\read", "\u202e"])
def test_a_scope_that_is_no_scope_is_refused(planner: Agent, hold: str, scope: str) -> None:
    assert outcome(planner.exchange(hold, scope=scope)) == (400, "invalid_scope")


def test_an_actor_token_that_is_its_own_changes_nothing(planner: Agent, hold: str) -> None:
    plain = planner.exchange(hold, resource=CALENDAR).json()
    own = {"actor_token": hold, "actor_token_type": ACCESS_TOKEN}
    with_actor = planner.exchange(hold, resource=CALENDAR, **own).json()
    assert plain["scope"] == with_actor["scope"]
