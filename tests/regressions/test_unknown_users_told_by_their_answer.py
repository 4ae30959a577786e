"""A backchannel endpoint that tells who is known: by another error, another text, or the time.

A hint that names a person of another's, or nobody, gets one and the same answer.
"""

import time
from statistics import median
from typing import Any

import httpx
import pytest

from support.asking import Asking
from support.world import World

NOBODYS = "nobody@nowhere.example"


def shape(answer: httpx.Response) -> tuple[Any, ...]:
    headers = {k: v for k, v in answer.headers.items() if k.lower() != "date"}
    return answer.status_code, answer.json(), headers


@pytest.fixture
def hints(asking: Asking) -> dict[str, dict[str, str | None]]:
    """Hints that name people whom the caller may not ask, and nobody."""
    world = asking.world
    others = world.hold("mallory", "eve")
    nobodys = world.forge({"sub": NOBODYS, "iss": world.metadata["issuer"]})
    none: dict[str, str | None] = {"login_hint_token": None}
    return {
        "a person who deputized nobody": none | {"login_hint": "ben"},
        "a person who deputized another": none | {"login_hint": "eve"},
        "nobody": none | {"login_hint": NOBODYS},
        "an ID token": none | {"id_token_hint": "x.y.z"},
        "another agent's token": {"login_hint_token": others},
        "a token of nobody's": {"login_hint_token": nobodys},
        "no token": {"login_hint_token": "x.y.z"},
    }


def test_the_answers_are_alike(asking: Asking, hints: dict[str, dict[str, str | None]]) -> None:
    shapes = [shape(asking.ask(**hint)) for hint in hints.values()]
    assert shapes[0][:2] == (400, shapes[0][1])
    assert shapes[0][1]["error"] == "unknown_user_id"
    assert all(other == shapes[0] for other in shapes), shapes


def test_nor_does_the_time_tell(world: World, asking: Asking) -> None:
    """The same statements for whoever is known: medians of times that lie between each other."""

    def taken(name: str) -> float:
        start = time.perf_counter()
        asking.ask(login_hint_token=None, login_hint=name)
        return time.perf_counter() - start

    known, unknown = [], []
    for _ in range(40):
        known.append(taken("eve"))
        unknown.append(taken(NOBODYS))
    assert 0.5 < median(known) / median(unknown) < 2
