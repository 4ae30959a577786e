"""An agent that pushes what it asks, and the browsers that bring the reference."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from support.agents_http import Agent, pkce
from support.world import CALENDAR, CALLBACK, World, read_form

ENDPOINT = "pushed_authorization_request_endpoint"
VERIFIER, CHALLENGE = pkce()
ASKED: dict[str, Any] = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "calendar:read calendar:write",
    "resource": [CALENDAR],
    "state": "the-state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@dataclass
class Pushing:
    """One agent at the pushed authorization request endpoint."""

    world: World
    agent: Agent
    browsers: dict[str | None, httpx.Client] = field(default_factory=dict)

    def push(self, **changes: Any) -> httpx.Response:
        """Push the usual request with `changes`; None leaves a parameter out."""
        return self.agent.post(ENDPOINT, **ASKED | changes)

    def pushed(self, **changes: Any) -> str:
        answer = self.push(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["request_uri"])

    def link(self, request_uri: Any, **more: Any) -> str:
        """Return where the browser is sent: the reference, and what somebody may add."""
        sent = {"client_id": self.agent.client_id, "request_uri": request_uri} | more
        query = urlencode({n: v for n, v in sent.items() if v is not None}, doseq=True)
        return f"{self.world.metadata['authorization_endpoint']}?{query}"

    def browser(self, person: str | None = "ana") -> httpx.Client:
        if person not in self.browsers:
            self.browsers[person] = self.world.browser(person)
        return self.browsers[person]

    def open(self, request_uri: Any, person: str | None = "ana", **more: Any) -> httpx.Response:
        return self.browser(person).get(self.link(request_uri, **more))

    def press(
        self, page: httpx.Response, decision: str = "allow", person: str = "ana"
    ) -> httpx.Response:
        """Press on the page that was opened."""
        assert page.status_code == 200, page.text
        form = read_form(page.text) | {"decision": [decision]}
        return self.browser(person).post(form.pop("action")[0], data=form)

    def redeem(self, code: str) -> httpx.Response:
        return self.agent.post(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
        )


@pytest.fixture(scope="module")
def pushing(world: World) -> Pushing:
    return Pushing(world, world.agent("planner"))
