"""What opens something while it is good is in no table, no event and no line of a log."""

import logging
import re
from dataclasses import replace
from typing import Any

import pytest

from deputize.core.db import metadata
from deputize.endings.edit_catalogue import declare_scope
from spec.profile.test_5_inbox import form_of, inbox, press
from support.agents_http import pkce
from support.asking import Asking
from support.authenticator import Authenticator, enrolled, fresh_browser, read_signing_form
from support.world import CALLBACK, PAY, SCOPES, World

pytestmark = pytest.mark.section("profile", "5")

PAYING = next(s for s in SCOPES if s.name == "pay:transfer")
CODE, WRONG = "a code of the person's own", "a code that somebody guessed"


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    declare_scope(world_on_each_engine.context.db, replace(PAYING, acr="phr"))
    world_on_each_engine.edit("planner", user_code_parameter=True)
    return world_on_each_engine


def rows(world: World) -> list[str]:
    with world.context.db.read() as tx:
        tables = {table: tx.execute(table.select()).all() for table in metadata.sorted_tables}
    return [f"{table.name}: {row}" for table, found in tables.items() for row in found]


def secrets_of(asking: Asking) -> dict[str, str]:
    """Let everything be asked and pushed, and some of it go wrong; return what must stay secret."""
    world, person = asking.world, asking.person
    enrolled(world, person)
    browser = fresh_browser(world, person)
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/deputize/user-code").text)
    assert csrf is not None
    browser.post("/deputize/user-code", data={"csrf_token": csrf[1], "code": CODE})
    world.hold("planner", person)
    cold: dict[str, Any] = {"scope": "openid pay:transfer", "login_hint": person, "resource": PAY}
    ask = "backchannel_authentication_endpoint"
    asked = asking.agent.post(ask, **cold, user_code=CODE)
    assert asking.agent.post(ask, **cold, user_code=WRONG).status_code == 400
    form = read_signing_form(press(browser, form_of(inbox(browser, world)), "approve").text)
    stranger = Authenticator().get(form.options, world.url)
    assert browser.post(form.action, data=form.data(stranger)).status_code == 400
    verifier, challenge = pkce()
    pushed = asking.agent.post(
        "pushed_authorization_request_endpoint",
        response_type="code",
        scope="calendar:read",
        redirect_uri=CALLBACK,
        code_challenge=challenge,
        code_challenge_method="S256",
    )
    return {
        "code": CODE,
        "wrong code": WRONG,
        "auth_req_id": asked.json()["auth_req_id"],
        "nonce": dict(form.fields)["nonce"],
        "challenge": form.options["challenge"],
        "request_uri": pushed.json()["request_uri"].rpartition(":")[2],
        "form": csrf[1],
        "verifier": verifier,
    }


def test_nothing_that_is_good_is_written_down(
    asking: Asking, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        secrets = secrets_of(asking)
    written = [*rows(asking.world), caplog.text, *capfd.readouterr()]
    assert len(written) > 20
    found = {name for name, secret in secrets.items() for line in written if secret in line}
    assert found == set()
