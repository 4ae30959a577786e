"""A server seals by itself, publishes its keys, and takes no seal for a token."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from deputize.audit.keys import find_public_keys
from deputize.audit.models import event
from deputize.audit.seal import find_newest
from deputize.audit.statement import TYP, NotAStatement, read
from deputize.audit.verify import verify
from support.agents_http import decode, http, outcome
from support.world import CALENDAR, World, present, running_world

SOON = 5  # seconds, of what takes one


@pytest.fixture(scope="module")
def world(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with running_world(module_database_url, folder, audit={}) as running:
        yield running


def test_what_happens_is_sealed_within_seconds(world: World) -> None:
    hold = world.hold()
    assert world.agent("planner").exchange(hold, resource=CALENDAR).status_code == 200
    until = time.monotonic() + SOON
    while waiting(world):
        assert time.monotonic() < until
        time.sleep(0.05)
    verdict = verify(world.context.db, [], late_after=60)
    assert (verdict.is_intact, verdict.waiting) == (True, 0)


def test_the_keys_are_published_apart_from_those_of_tokens(world: World) -> None:
    answer = http.get(f"{world.url}/deputize/audit/jwks")
    assert answer.status_code == 200
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    tokens = http.get(world.metadata["jwks_uri"]).json()["keys"]
    assert key["kid"] not in {other["kid"] for other in tokens}
    assert decode(newest(world))[0]["kid"] == key["kid"]


def test_a_seal_is_no_token_of_any_kind(world: World) -> None:
    world.hold()
    world.app.extensions["deputize"].sealer.seal()
    signed = newest(world)
    assert world.agent("planner").introspect(signed).json() == {"active": False}
    answer = world.agent("planner").exchange(signed, resource=CALENDAR)
    assert outcome(answer) == (400, "invalid_request")
    assert outcome(present(world, signed)) == (401, "invalid_client")


@pytest.mark.parametrize("typ", ["at+jwt", TYP])
def test_what_a_key_of_tokens_signs_is_no_seal(world: World, typ: str) -> None:
    with world.context.db.read() as tx:
        keys = find_public_keys(tx)
    with pytest.raises(NotAStatement):
        read(world.forge(decode(newest(world))[1], typ), keys)


def waiting(world: World) -> int:
    with world.context.db.read() as tx:
        return int(tx.execute(select(func.count()).where(event.c.position.is_(None))).scalar_one())


def newest(world: World) -> str:
    with world.context.db.read() as tx:
        signed = find_newest(tx)
    assert signed is not None
    return signed
