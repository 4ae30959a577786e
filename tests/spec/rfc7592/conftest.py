"""An agent that registered itself, as it manages its registration."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from deputize.agents.models import find_agent
from support.agents_http import Agent, http, jwks, new_key, register
from support.world import CALENDAR, CALLBACK, FLIGHTS, World

DESCRIPTION: dict[str, Any] = {
    "client_name": "scout",
    "agent_purpose": "Looks around",
    "redirect_uris": [CALLBACK, "https://scout.example/callback"],
    "scope": "calendar:read flights:search",
    "resources": [CALENDAR, FLIGHTS],
}


@dataclass
class Registered:
    """What the agent was told when it registered, and what it then asks."""

    world: World
    key: ECKey
    told: dict[str, Any]

    @property
    def client_id(self) -> str:
        return str(self.told["client_id"])

    @property
    def agent(self) -> Agent:
        return Agent(self.client_id, self.world.metadata, key=self.key)

    @property
    def status(self) -> str:
        with self.world.context.db.read() as tx:
            found = find_agent(tx, self.client_id)
        assert found is not None
        return found.status

    def ask(
        self, method: str, body: Any = None, *, token: str | None = None, uri: str | None = None
    ) -> httpx.Response:
        """Ask at the client configuration endpoint, by the registration access token."""
        bearer = self.told["registration_access_token"] if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"}
        where = uri or self.told["registration_client_uri"]
        return http.request(method, where, json=body, headers=headers)

    def update(self, **changes: Any) -> httpx.Response:
        """Send the whole description anew, with `changes`; None leaves a member out."""
        said = {"client_id": self.client_id, "jwks": jwks(self.key)} | DESCRIPTION | changes
        return self.ask("PUT", {n: v for n, v in said.items() if v is not None})

    def adopt(self) -> None:
        """Let it in, as an administrator would."""
        self.world.edit(self.client_id, owner="ben")
        self.world.start(self.client_id)

    def hold(self) -> str:
        """Return its hold on what ana grants it."""
        return self.world.hold(
            self.client_id,
            scope="calendar:read flights:search",
            resource=[CALENDAR, FLIGHTS],
            redeem_with=self.agent,
        )


@pytest.fixture
def scout(world: World) -> Registered:
    key = new_key()
    answer = register(world.metadata, **DESCRIPTION, jwks=jwks(key))
    assert answer.status_code == 201, answer.text
    return Registered(world, key, answer.json())


@pytest.fixture
def adopted(scout: Registered) -> Registered:
    scout.adopt()
    return scout
