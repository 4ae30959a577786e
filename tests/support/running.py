"""One task under way, as its root agent sees it: the tasks endpoint, and what the task left."""

from typing import Any

import httpx

from support.agents_http import decode, http
from support.world import World

SCOPE = "calendar:read agents:spawn tasks"


class Running:
    """A task of an agent of its own, which holds the scope `tasks`.

    :param rule: of its registration: `task_exchanges` and so on
    """

    _made = 0

    def __init__(self, world: World, person: str = "ana", **rule: Any) -> None:
        Running._made += 1
        self.world, self.person = world, person
        self.agent = f"runner-{Running._made}"
        world.register(self.agent, **rule)
        passing = ("booker", "spawned")
        granted = world.consent(self.agent, person, pass_on=passing, scope=SCOPE).json()
        self.hold: str = granted["access_token"]
        self.refresh_token: str = granted["refresh_token"]
        self.id: str = decode(self.hold)[1]["task_id"]

    @property
    def url(self) -> str:
        return f"{self.world.metadata['tasks_endpoint']}/{self.id}"

    def get(self, token: str | None = None) -> httpx.Response:
        return http.get(self.url, headers=bearer(token or self.hold))

    def post(self, token: str | None = None, /, **said: Any) -> httpx.Response:
        return http.post(self.url, headers=bearer(token or self.hold), json=said)

    def propose(self, outcome: str = "completed") -> httpx.Response:
        return self.post(action="propose", outcome=outcome)

    def renew(self) -> httpx.Response:
        """Exchange the hold for another of the same."""
        return self.world.agent(self.agent).exchange(self.hold)

    def refreshed(self) -> str:
        """Return the hold anew, by its refresh token."""
        answer = (
            self.world.agent(self.agent)
            .post("token_endpoint", grant_type="refresh_token", refresh_token=self.refresh_token)
            .json()
        )
        self.refresh_token = answer["refresh_token"]
        return str(answer["access_token"])

    def is_alive(self) -> bool:
        return bool(self.world.agent(self.agent).introspect(self.hold).json()["active"])

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.world.events(kind) if event["task_id"] == self.id]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
