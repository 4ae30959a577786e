"""CIBA Core §7.3, §11: a poll may be held until there is an answer."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from deputize.approvals.holding import Holding
from deputize.endings.end_delegation import end_delegation
from support.agents_http import decode, outcome
from support.asking import Asking
from support.world import World, running_world

pytestmark = pytest.mark.section("CIBA Core 1.0", "7.3, 11")

#: Seconds for which a poll is held here; a test that waited for them all would be seen.
HELD = 20
WAIT = 10

Hold = Callable[[str], Future[httpx.Response]]


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    holding = {"hold_poll": HELD, "max_held_of_agent": 2}
    with running_world(module_database_url, folder, approvals=holding) as running:
        yield running


@pytest.fixture
def hold(asking: Asking) -> Iterator[Hold]:
    """Return what polls in a thread of its own, once the poll is held."""
    with ThreadPoolExecutor(4) as pool:

        def held(auth_req_id: str) -> Future[httpx.Response]:
            before = how_many(asking.world)
            polling = pool.submit(asking.poll, auth_req_id)
            deadline = time.monotonic() + WAIT
            while how_many(asking.world) == before and time.monotonic() < deadline:
                time.sleep(0.005)
            assert how_many(asking.world) == before + 1
            return polling

        yield held
        asking.agent.revoke(asking.hold)


def how_many(world: World) -> int:
    holding = world.context.holding
    assert isinstance(holding, Holding)
    return holding.how_many()


def test_a_yes_is_answered_with_the_token_as_it_is_said(asking: Asking, hold: Hold) -> None:
    polling = hold(asking.asked())
    asking.say_yes()
    answer = polling.result(WAIT)
    assert outcome(answer) == (200, "none")
    assert asking.world.is_active(answer.json()["access_token"], "pay-api")


def test_a_no_too(asking: Asking, hold: Hold) -> None:
    polling = hold(asking.asked())
    asking.say_no()
    assert outcome(polling.result(WAIT)) == (400, "access_denied")


def test_an_ending_ends_it(asking: Asking, hold: Hold) -> None:
    polling = hold(asking.asked())
    delegation_id = decode(asking.hold)[1]["delegation_id"]
    end_delegation(asking.world.context.db, delegation_id, why="ended_by_person")
    assert outcome(polling.result(WAIT)) == (400, "access_denied")


def test_an_agent_that_is_stopped_meanwhile_gets_nothing(asking: Asking, hold: Hold) -> None:
    polling = hold(asking.asked())
    asking.world.stop("planner")
    assert polling.result(WAIT).status_code in (400, 401)
    asking.world.start("planner")


def test_that_it_expires_ends_it(asking: Asking, hold: Hold) -> None:
    polling = hold(asking.asked(requested_expiry="30"))
    asking.world.pass_time(31)
    assert outcome(polling.result(WAIT)) == (400, "expired_token")


def test_while_it_is_held_the_next_comes_too_soon(asking: Asking, hold: Hold) -> None:
    asked = asking.asked()
    polling = hold(asked)
    asking.world.pass_time(6)
    assert outcome(asking.poll(asked)) == (400, "slow_down")
    asking.say_yes()
    assert polling.result(WAIT).status_code == 200


def test_a_held_poll_is_one_poll(asking: Asking) -> None:
    """The interval runs from the request: the time for which it was held counts."""
    asked = asking.asked()
    assert outcome(_poll(asking, asked, wait=1)) == (400, "authorization_pending")
    assert outcome(_poll(asking, asked, wait=0)) == (400, "slow_down")


def test_who_prefers_not_to_wait_is_answered_at_once(asking: Asking) -> None:
    began = time.monotonic()
    assert outcome(_poll(asking, asking.asked(), wait=0)) == (400, "authorization_pending")
    assert time.monotonic() - began < HELD / 2


def test_of_one_agent_so_many_are_held_and_more_are_answered_at_once(
    asking: Asking, hold: Hold
) -> None:
    polling = [hold(asking.asked()), hold(asking.asked())]
    third = asking.asked()
    assert outcome(asking.poll(third)) == (400, "authorization_pending")
    asking.say_yes()
    assert [p.result(WAIT).status_code for p in polling] == [200, 200]


def test_a_held_assertion_is_used_up(asking: Asking, hold: Hold) -> None:
    assertion = asking.agent.client_assertion()
    asked = asking.asked()
    assert _poll(asking, asked, wait=0, client_assertion=assertion).status_code == 400
    assert outcome(_poll(asking, asked, wait=0, client_assertion=assertion))[0] == 401


def test_a_process_that_is_to_stop_holds_nothing_any_more(
    module_database_url: str, tmp_path: Path
) -> None:
    with running_world(
        f"sqlite:///{tmp_path}/deputize.sqlite3", tmp_path, approvals={"hold_poll": HELD}
    ) as world, ThreadPoolExecutor(1) as pool:  # fmt: skip
        asking = Asking(world, world.agent("planner"), world.hold())
        polling = pool.submit(asking.poll, asking.asked())
        while not how_many(world):
            time.sleep(0.005)
        world.context.holding.end()
        assert outcome(polling.result(WAIT)) == (400, "authorization_pending")
        assert outcome(asking.poll(asking.asked())) == (400, "authorization_pending")


def _poll(asking: Asking, auth_req_id: str, *, wait: int, **params: str) -> httpx.Response:
    return asking.agent.post(
        "token_endpoint",
        f"respond-async, wait={wait}",
        grant_type="urn:openid:params:grant-type:ciba",
        auth_req_id=auth_req_id,
        **params,
    )
