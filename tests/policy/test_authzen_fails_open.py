"""`on_failure = "allow"`: what no decision point answers is allowed, and nothing else."""

from collections.abc import Iterator

import pytest

from policy.conftest import asking_at
from support.agents_http import outcome
from support.decisions import Decisions, answered
from support.world import CALENDAR, World, running_world


@pytest.fixture(scope="module")
def world(decisions: Decisions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    url = f"sqlite:///{folder}/deputize.sqlite3"
    policy = asking_at(decisions, on_failure="allow")
    with running_world(url, folder, policy=policy) as running:
        yield running


def test_no_answer_is_a_yes(world: World, decisions: Decisions) -> None:
    decisions.decide = lambda _: answered({"decision": False}, status=500)
    answer = world.agent("planner").exchange(world.hold(), resource=CALENDAR)
    assert answer.status_code == 200, answer.text


def test_a_no_is_a_no(world: World, decisions: Decisions) -> None:
    hold = world.hold()
    decisions.decide = lambda _: answered({"decision": False})
    refused = world.agent("planner").exchange(hold, resource=CALENDAR)
    assert outcome(refused) == (400, "invalid_request")
