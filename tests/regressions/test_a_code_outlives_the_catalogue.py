"""Defect known elsewhere: a scope is withdrawn after the person consented and before the
code is redeemed, and the token has it all the same.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from deputize.delegation.models import delegation
from deputize.endings.edit_catalogue import declare_scope, retire_scope, retire_server
from support.agents_http import decode, pkce
from support.world import CALENDAR, CALLBACK, FLIGHTS, SCOPES, World, running_world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        yield running


def redeemed(world: World, code: str, verifier: str) -> dict[str, str]:
    answer = world.agent("planner").post(
        "token_endpoint",
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=verifier,
    )
    claims: dict[str, str] = decode(answer.json()["access_token"])[1]
    return claims


def test_a_scope_that_was_retired_is_not_granted(world: World) -> None:
    verifier, challenge = pkce()
    code = world.code(challenge)
    retire_scope(world.context.db, "calendar:write")
    scope = redeemed(world, code, verifier)["scope"].split()
    assert "calendar:write" not in scope
    assert "calendar:read" in scope


def test_nor_one_that_needs_an_approval_since(world: World) -> None:
    verifier, challenge = pkce()
    code = world.code(challenge)
    (read,) = (s for s in SCOPES if s.name == "calendar:read")
    declare_scope(world.context.db, replace(read, sensitive=True))
    assert "calendar:read" not in redeemed(world, code, verifier)["scope"].split()


def test_nor_is_a_server_that_was_retired_within_reach(world: World) -> None:
    verifier, challenge = pkce()
    code = world.code(challenge)
    retire_server(world.context.db, FLIGHTS)
    redeemed(world, code, verifier)
    with world.context.db.read() as tx:
        (resources,) = tx.execute(select(delegation.c.resources)).scalars()
    assert FLIGHTS not in resources.split()
    assert CALENDAR in resources.split()
