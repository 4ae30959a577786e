"""Who sees an agent, a delegation, a task, and who may do what to an agent: rule by rule."""

from dataclasses import replace

import pytest

from deputize.agents.lifecycle import Status
from deputize.agents.models import Agent
from deputize.dashboard.may_see import (
    may_resume,
    may_retire,
    may_see_agent,
    may_see_delegation,
    may_see_task,
    may_suspend,
)
from deputize.host import Person

OWNER, SPONSOR, SUBJECT, OTHER = (Person(k, k) for k in ("owner", "sponsor", "subject", "other"))
SECURITY = Person("s", "s", roles=frozenset({"security"}))
ADMIN = Person("a", "a", roles=frozenset({"admin"}))
#: A group, or a role of another name, is nothing here.
CLAIMANT = Person("c", "c", groups=frozenset({"security", "admin"}), roles=frozenset({"owner", ""}))
EVERYBODY = (OWNER, SPONSOR, SUBJECT, OTHER, SECURITY, ADMIN, CLAIMANT)

AGENT = Agent(
    client_id="planner",
    name="planner",
    purpose="",
    origin="declared",
    created_at=0,
    expires_at=1,
    token_endpoint_auth_method="private_key_jwt",
    owner="owner",
    sponsor="sponsor",
    status=Status.ACTIVE,
)
SUSPENDED = replace(AGENT, status=Status.SUSPENDED)
NOBODYS = replace(AGENT, owner=None, sponsor=None)


def test_an_agent_exists_for_who_answers_for_it_and_who_looks_after_all() -> None:
    assert [p for p in EVERYBODY if may_see_agent(p, AGENT)] == [OWNER, SPONSOR, SECURITY, ADMIN]
    assert [p for p in EVERYBODY if may_see_agent(p, NOBODYS)] == [SECURITY, ADMIN]


def test_whoever_sees_an_agent_that_is_active_may_suspend_it() -> None:
    assert [p for p in EVERYBODY if may_suspend(p, AGENT)] == [OWNER, SPONSOR, SECURITY, ADMIN]
    assert [p for p in EVERYBODY if may_suspend(p, SUSPENDED)] == []


def test_only_its_owner_or_an_administrator_starts_it_again_or_retires_it() -> None:
    assert [p for p in EVERYBODY if may_resume(p, SUSPENDED)] == [OWNER, ADMIN]
    assert [p for p in EVERYBODY if may_retire(p, AGENT)] == [OWNER, ADMIN]
    assert [p for p in EVERYBODY if may_retire(p, NOBODYS)] == [ADMIN]


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE, Status.RETIRED])
def test_nothing_but_a_suspended_agent_is_started_by_a_press(status: Status) -> None:
    assert not [p for p in EVERYBODY if may_resume(p, replace(AGENT, status=status))]


def test_a_delegation_exists_for_its_person_and_for_who_answers_for_an_agent_of_its_chain() -> None:
    chain = ("planner", "booker")

    def seen_by(own: frozenset[str]) -> list[Person]:
        return [p for p in EVERYBODY if may_see_delegation(p, "subject", chain, own)]

    assert seen_by(frozenset()) == [SUBJECT, SECURITY, ADMIN]
    assert seen_by(frozenset({"helper"})) == [SUBJECT, SECURITY, ADMIN]
    assert seen_by(frozenset({"booker"})) == list(EVERYBODY)


def test_a_whole_task_is_shown_to_its_person_and_the_owner_of_the_agent_at_its_root() -> None:
    seen = [p for p in EVERYBODY if may_see_task(p, "subject", AGENT)]
    assert seen == [OWNER, SUBJECT, SECURITY, ADMIN]
    assert [p for p in EVERYBODY if may_see_task(p, "subject", None)] == [SUBJECT, SECURITY, ADMIN]
