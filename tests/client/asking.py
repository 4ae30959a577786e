"""Ana lets an agent act, on the page that the client's own URL leads to."""

from typing import Any

from deputize.client import AgentClient, AuthorizationRequest, Token
from support.world import CALENDAR, CALLBACK, FLIGHTS, World, read_form

SCOPE = "calendar:read calendar:write flights:search agents:spawn tasks"


def hold_of(world: World, planner: AgentClient) -> Token:
    """Ask, let Ana say yes, redeem."""
    url, asked = ask(planner)
    return planner.redeem(asked.code_in(answer(world, url)), asked)


def ask(planner: AgentClient, **more: Any) -> tuple[str, AuthorizationRequest]:
    params = {"scope": SCOPE, "resource": [CALENDAR, FLIGHTS]} | more
    return planner.authorization_url(CALLBACK, **params)


def answer(world: World, url: str, decision: str = "allow") -> str:
    """Return the URL that Ana's browser is sent back to."""
    browser = world.browser("ana")
    page = browser.get(url)
    assert page.status_code == 200, page.text
    form = read_form(page.text) | {"decision": [decision]}
    sent = browser.post(form.pop("action")[0], data=form)
    return str(sent.headers["Location"])
