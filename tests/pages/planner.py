"""Planner as its developer runs it: a link for the person, and the answer at the callback."""

from dataclasses import dataclass, field

import httpx

from pages.callback import Callback
from pages.house import House
from pages.states import SCOPE
from support.agents_http import pkce
from support.world import CALENDAR, FLIGHTS, PAY, authorize_url


@dataclass
class Planner:
    """One authorization request, and what became of it."""

    house: House
    callback: Callback
    client_id: str = "planner"
    state: str = "of this request"
    _pkce: tuple[str, str] = field(default_factory=pkce)

    @property
    def link(self) -> str:
        """What the person follows."""
        return authorize_url(
            self.house.metadata,
            self.client_id,
            self._pkce[1],
            redirect_uri=self.callback.url,
            scope=SCOPE,
            resource=[CALENDAR, FLIGHTS, PAY],
            state=self.state,
        )

    def answer(self) -> dict[str, str]:
        """Return the one answer that a browser brought, once it is known to be ours."""
        (told,) = self.callback.came
        assert told.pop("state") == self.state
        assert told.pop("iss") == self.house.url
        return told

    def redeem(self) -> httpx.Response:
        """Exchange the code that came for tokens."""
        return self.house.agent(self.client_id).post(
            "token_endpoint",
            grant_type="authorization_code",
            code=self.answer()["code"],
            redirect_uri=self.callback.url,
            code_verifier=self._pkce[0],
        )

    def refresh(self, token: str) -> httpx.Response:
        return self.house.agent(self.client_id).post(
            "token_endpoint", grant_type="refresh_token", refresh_token=token
        )
