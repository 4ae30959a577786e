"""Few requests run at a time, however many threads there are; who waits lets another in."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deputize_idp.turnstile import Turnstile

WAIT = 10


def test_so_many_run_at_a_time() -> None:
    running, most = threading.Semaphore(2), []

    def app(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        most.append(running.acquire(blocking=False))
        threading.Event().wait(0.01)
        running.release()
        return []

    turnstile = Turnstile(app, 2, "aside")
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: turnstile({}, None), range(24)))
    assert most == [True] * 24


def test_who_steps_aside_lets_another_in_and_comes_back_in_turn() -> None:
    answered = threading.Event()

    def app(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        if environ["waits"]:
            with environ["aside"]():
                assert answered.wait(WAIT)
        else:
            answered.set()
        return [b"done"]

    turnstile = Turnstile(app, 1, "aside")
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(turnstile, {"waits": True}, None)
        other = pool.submit(turnstile, {"waits": False}, None)
        assert other.result(WAIT) == waiting.result(WAIT) == [b"done"]
    assert turnstile({"waits": False}, None) == [b"done"]


def test_a_place_is_given_back_after_an_error() -> None:
    def app(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        with environ["aside"]():
            raise ZeroDivisionError

    turnstile = Turnstile(app, 1, "aside")
    for _ in range(3):
        try:
            turnstile({}, None)
        except ZeroDivisionError:
            continue
        raise AssertionError
