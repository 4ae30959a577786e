"""V9, V10: however often it is pushed and polled for, an approval is one token; and none
that ends meanwhile.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from deputize.endings.end_delegation import end_delegation
from deputize.outbox.deliver import Deliverer
from support.agents_http import decode
from support.asking import Asking
from support.told import Told, told
from support.world import PAY, World, running_world


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Told]:
    with told() as running:
        yield running


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    private = {"private_hosts": ["127.0.0.1"]}
    with running_world(module_database_url, folder, agents=private) as running:
        yield running


@pytest.mark.parametrize("is_ended", [False, True])
def test_pushed_polled_for_and_ended_at_once(world: World, endpoint: Told, is_ended: bool) -> None:
    """Three workers push to two ids of one card, whose endpoint fails now and then; three
    requests poll for a third id of it; and once the delegation ends in the middle."""
    client_id = f"pushed-{is_ended}"
    world.register(
        client_id,
        backchannel_token_delivery_mode="push",
        backchannel_client_notification_endpoint=endpoint.endpoint,
    )
    for number in range(4):
        endpoint.arrived.clear()
        endpoint.status = 503 if number % 2 else 204
        hold = world.hold(client_id)
        asking = Asking(
            world, world.agent(client_id), hold, "ana", {"client_notification_token": "x" * 32}
        )
        polled = _ask_by_poll(asking)
        asking.asked()
        asking.asked()
        asking.say_yes()

        def end(hold: str = hold) -> None:
            if is_ended:
                end_delegation(world.context.db, decode(hold)[1]["delegation_id"], why="revoked")

        polls: list[Callable[[], Any]] = [lambda a=asking, p=polled: a.poll(p)] * 3
        workers = [_worker(world).deliver_due for _ in range(3)]
        answers = _at_once([*polls, end, *workers])[:3]
        endpoint.status = 204
        for _ in range(3):
            world.pass_time(3)
            _worker(world).deliver_due()
        pushed = [p["access_token"] for p in endpoint.arrived if "access_token" in p]
        polled_for = [a.json()["access_token"] for a in answers if a.status_code == 200]
        tokens = pushed + polled_for
        assert len({decode(token)[1]["jti"] for token in tokens}) <= 1
        issued = [e for e in world.events("delegation.issued") if _is_elevated(e, hold)]
        assert len(issued) <= 1
        if is_ended:
            assert not any(world.is_active(token, "pay-api") for token in tokens)
        else:
            assert world.is_active(pushed[-1], "pay-api")
            assert len(polled_for) == 3


def _ask_by_poll(asking: Asking) -> str:
    """Return an id of the card that is polled for: an exchange has asked the same."""
    answer = asking.agent.exchange(
        asking.hold, resource=PAY, scope="pay:transfer", binding_message="TP1234, seat 14C"
    )
    return str(answer.json()["auth_req_id"])


def _worker(world: World) -> Deliverer:
    deliverer: Deliverer = world.app.extensions["deputize"].deliverer()
    return deliverer


def _at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    barrier = Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def _is_elevated(event: dict[str, Any], hold: str) -> bool:
    facts = json.loads(event["body"])
    return "approval_id" in facts and event["task_id"] == decode(hold)[1]["task_id"]
