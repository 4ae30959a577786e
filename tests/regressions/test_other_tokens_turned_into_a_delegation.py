"""Elsewhere an ID token, a login token or an agent's own token began a delegation."""

import pytest

from support.agents_http import ACCESS_TOKEN, decode, outcome
from support.world import World

TYPES = [ACCESS_TOKEN, *(f"urn:ietf:params:oauth:token-type:{of}" for of in ("id_token", "jwt"))]


@pytest.mark.parametrize("subject_token_type", TYPES)
class TestNobodysDelegation:
    """Whatever it is called."""

    def test_an_id_token(self, world: World, subject_token_type: str) -> None:
        claims = decode(world.hold())[1]
        said = {name: claims[name] for name in ("iss", "sub", "iat", "exp", "auth_time")}
        self.refuse(world, world.forge(said | {"aud": "planner"}, "JWT"), subject_token_type)

    def test_a_plain_login_token(self, world: World, subject_token_type: str) -> None:
        claims = decode(world.hold())[1]
        plain = {k: v for k, v in claims.items() if k not in ("act", "delegation_id", "task_id")}
        self.refuse(world, world.forge(plain), subject_token_type)

    def test_an_agents_own_token(self, world: World, subject_token_type: str) -> None:
        own = world.agent("planner").post("token_endpoint", grant_type="client_credentials")
        self.refuse(world, own.json()["access_token"], subject_token_type)

    @staticmethod
    def refuse(world: World, token: str, subject_token_type: str) -> None:
        before = world.events("delegation.issued")
        answer = world.agent("planner").exchange(token, subject_token_type=subject_token_type)
        assert outcome(answer) == (400, "invalid_request")
        assert world.events("delegation.issued") == before
