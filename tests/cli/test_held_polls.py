"""`deputize serve` holds polls, and is none the slower for others, nor when it is stopped."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cli.running import DEMO, Operator, Served
from support.agents_http import Agent, outcome

CIBA = "urn:openid:params:grant-type:ciba"
CALENDAR = "https://calendar.example"

#: Polls that are held at one time: with one thread, the second request would wait.
AT_ONCE = 8


@pytest.mark.parametrize("workers", [1, 2])
def test_others_are_answered_meanwhile_and_sigterm_ends_it(
    operator: Operator, workers: int
) -> None:
    operator.done("apply", str(DEMO))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        with operator.serving(workers=workers) as url:
            served = Served(url, operator)
            planner, hold = served.agent("planner"), served.hold()["access_token"]
            polling = [pool.submit(_poll, planner, _asked(planner, hold)) for _ in range(AT_ONCE)]
            time.sleep(1)
            began = time.monotonic()
            assert planner.introspect(hold).json()["active"] is True
            assert time.monotonic() - began < 5
            assert not any(poll.done() for poll in polling)
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 8
        assert {poll.result() for poll in polling} == {(400, "authorization_pending")}


def _asked(agent: Agent, hold: str) -> str:
    answer = agent.post(
        "backchannel_authentication_endpoint",
        scope="openid calendar:write",
        login_hint_token=hold,
        resource=CALENDAR,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["auth_req_id"])


def _poll(agent: Agent, auth_req_id: str) -> tuple[int, str]:
    return outcome(agent.post("token_endpoint", grant_type=CIBA, auth_req_id=auth_req_id))
