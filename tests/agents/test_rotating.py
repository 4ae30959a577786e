"""A secret or keys are replaced: at once, or with an overlap in which both are good."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deputize.agents.models import Agent, find_agent
from deputize.agents.rotate import rotate_secret
from deputize.core.secrets import digest
from deputize.endings.edit_agent import edit_agent
from support import agents_http
from support.agents_http import jwks, new_key, outcome
from support.world import World, running_world

DAY = 86_400
SECRET = "a-secret-of-more-than-24-characters"
CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def guide(world: World) -> Agent:
    """An agent that has a secret."""
    return world.register(
        "guide",
        token_endpoint_auth_method="client_secret_basic",
        secret_digest=digest(SECRET),
        jwks=None,
    )


def is_let_in(world: World, secret: str) -> bool:
    agent = agents_http.Agent("guide", world.metadata, secret=secret)
    answer = agent.post("token_endpoint", **CREDENTIALS)
    assert outcome(answer)[0] in (200, 401)
    return answer.status_code == 200


def is_let_in_by_key(world: World, client_id: str, key: Any) -> bool:
    agent = agents_http.Agent(client_id, world.metadata, key=key)
    return agent.post("token_endpoint", **CREDENTIALS).status_code == 200


def now_there(world: World, client_id: str) -> Agent:
    with world.context.db.read() as tx:
        found = find_agent(tx, client_id)
    assert found is not None
    return found


class TestASecret:
    def test_the_old_one_is_good_for_nothing_at_once(self, world: World, guide: Agent) -> None:
        secret = rotate_secret(world.context.db, "guide", 0) or ""
        assert [is_let_in(world, one) for one in (SECRET, secret)] == [False, True]

    def test_or_for_as_long_as_is_said(self, world: World, guide: Agent) -> None:
        secret = rotate_secret(world.context.db, "guide", DAY) or ""
        assert [is_let_in(world, one) for one in (SECRET, secret)] == [True, True]
        world.pass_time(DAY)
        assert [is_let_in(world, one) for one in (SECRET, secret)] == [False, True]

    def test_one_before_that_is_never_good(self, world: World, guide: Agent) -> None:
        second = rotate_secret(world.context.db, "guide", DAY) or ""
        third = rotate_secret(world.context.db, "guide", DAY) or ""
        good = [is_let_in(world, one) for one in (SECRET, second, third)]
        assert good == [False, True, True]

    def test_replaced_at_once_nothing_older_stays(self, world: World, guide: Agent) -> None:
        second = rotate_secret(world.context.db, "guide", DAY) or ""
        third = rotate_secret(world.context.db, "guide", 0) or ""
        good = [is_let_in(world, one) for one in (SECRET, second, third)]
        assert good == [False, False, True]

    def test_what_it_holds_goes_on(self, world: World, guide: Agent) -> None:
        agent = agents_http.Agent("guide", world.metadata, secret=SECRET)
        own = agent.post("token_endpoint", **CREDENTIALS).json()["access_token"]
        rotate_secret(world.context.db, "guide", DAY)
        assert agent.introspect(own).json()["active"]

    def test_it_is_told_without_the_secret(self, world: World, guide: Agent) -> None:
        secret = rotate_secret(world.context.db, "guide", DAY, by="admin") or ""
        (told,) = world.events("agent.credential_rotated")
        assert (told["agent"], told["facts"]["by"]) == ("guide", "admin")
        assert secret not in str(told)
        assert digest(secret) not in str(told)

    def test_who_has_keys_has_none_to_replace(self, world: World) -> None:
        assert rotate_secret(world.context.db, "planner", DAY) is None
        assert rotate_secret(world.context.db, "nobody", DAY) is None


class TestWhatIsDeclared:
    """`credential_overlap` of an agent's declaration."""

    @pytest.mark.parametrize(("overlap", "is_good"), [(None, False), (DAY, True)])
    def test_keys(self, world: World, overlap: int | None, is_good: bool) -> None:
        old, new = world.keys["planner"], new_key()
        before = now_there(world, "planner")
        after = replace(before, jwks=json.dumps(jwks(new)), credential_overlap=overlap)
        edit_agent(world.context.db, after)
        assert is_let_in_by_key(world, "planner", new)
        assert is_let_in_by_key(world, "planner", old) == is_good
        world.pass_time(DAY)
        assert not is_let_in_by_key(world, "planner", old)

    def test_declared_again_the_overlap_is_no_longer(self, world: World) -> None:
        before = now_there(world, "planner")
        after = replace(before, jwks=json.dumps(jwks(new_key())), credential_overlap=DAY)
        edit_agent(world.context.db, after)
        until = now_there(world, "planner").retiring_until
        world.pass_time(3600)
        assert not edit_agent(world.context.db, after)
        assert now_there(world, "planner").retiring_until == until

    def test_who_proves_itself_otherwise_leaves_nothing_behind(
        self, world: World, guide: Agent
    ) -> None:
        after = replace(
            guide,
            token_endpoint_auth_method="private_key_jwt",
            secret_digest=None,
            jwks=json.dumps(jwks(new_key())),
            credential_overlap=DAY,
        )
        edit_agent(world.context.db, after)
        assert now_there(world, "guide").retiring is None
        assert not is_let_in(world, SECRET)
