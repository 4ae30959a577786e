"""The approval API: an organisation's own app brings the person's word, by the person's token."""

from typing import Any

import httpx
import pytest

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from deputize.host import Authentication, PersonToken
from support.agents_http import decode, http, outcome, unix_time
from support.asking import Asking
from support.world import PAY, World

pytestmark = pytest.mark.section("profile", "5")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def app_token(asking: Asking, *scope: str, auth_time: int = 0) -> str:
    """Return a token of the host's that the person gave to their app."""
    person = asking.world.host.people[asking.person]
    how = Authentication(auth_time or unix_time(), "pwd", ("pwd",))
    token = f"opaque-{asking.person}-{len(asking.world.host.tokens)}"
    granted = frozenset(scope or ("approvals",))
    asking.world.host.tokens[token] = PersonToken(person, "phone", granted, how)
    return token


def ask(asking: Asking, method: str, token: str | None, below: str = "", body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = asking.world.metadata["approvals_endpoint"] + below
    return http.request(method, url, headers=headers, json=body)


def listed(asking: Asking, token: str) -> list[dict[str, Any]]:
    answer: httpx.Response = ask(asking, "GET", token)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return list(answer.json())


def test_it_lists_what_waits_as_the_card_says_it(asking: Asking) -> None:
    token = app_token(asking)
    assert listed(asking, token) == []
    asking.asked()
    (card,) = listed(asking, token)
    assert set(card) == {
        "id", "content_hash", "agent", "chain", "scope", "held", "resource",
        "binding_message", "authorization_details", "expires_in", "expires_at",
    }  # fmt: skip
    assert (card["agent"], card["chain"], card["scope"]) == ("planner", ["planner"], "pay:transfer")


@pytest.mark.parametrize(
    ("decision", "expected"), [("approve", (200, "none")), ("deny", (400, "access_denied"))]
)
def test_it_decides(asking: Asking, decision: str, expected: tuple[int, str]) -> None:
    asked, token = asking.asked(), app_token(asking)
    (card,) = listed(asking, token)
    said = {"decision": decision, "content_hash": card["content_hash"]}
    assert ask(asking, "POST", token, f"/{card['id']}", said).status_code == 200
    answer = asking.poll(asked)
    assert outcome(answer) == expected
    if decision == "approve":
        assert decode(answer.json()["access_token"])[1]["acr"] == "pwd"
    assert listed(asking, token) == []


def test_it_gives_less(asking: Asking) -> None:
    calendar = "https://calendar.example"
    asking.hold = asking.world.hold(
        "planner", asking.person, untick=("calendar:write", "calendar:read")
    )
    asked = asking.asked(scope="openid calendar:write calendar:read", resource=calendar)
    token = app_token(asking)
    (card,) = listed(asking, token)
    said = {"decision": "approve", "content_hash": card["content_hash"], "scope": "calendar:read"}
    ask(asking, "POST", token, f"/{card['id']}", said | {"expires_in": 60})
    told = asking.poll(asked).json()
    assert (told["scope"], told["expires_in"] <= 60) == ("calendar:read", True)


class TestWhatDecidesNothing:
    @pytest.fixture
    def card(self, asking: Asking) -> dict[str, Any]:
        self.asked = asking.asked()
        return listed(asking, app_token(asking))[0]

    def tried(self, asking: Asking, card: dict[str, Any], token: str | None, **said: Any) -> Any:
        body = {"decision": "approve", "content_hash": card["content_hash"]} | said
        answer = ask(asking, "POST", token, f"/{card['id']}", body)
        assert outcome(asking.poll(self.asked)) == (400, "authorization_pending")
        return outcome(answer)

    def test_no_token(self, asking: Asking, card: dict[str, Any]) -> None:
        assert self.tried(asking, card, None) == (401, "invalid_token")

    def test_an_agents_token(self, asking: Asking, card: dict[str, Any]) -> None:
        """V11: no token with `act` moves an approval out of pending."""
        assert self.tried(asking, card, asking.hold) == (401, "invalid_token")

    def test_a_token_for_something_else(self, asking: Asking, card: dict[str, Any]) -> None:
        token = app_token(asking, "openid", "profile")
        assert self.tried(asking, card, token) == (403, "insufficient_scope")

    def test_another_persons(self, asking: Asking, card: dict[str, Any]) -> None:
        eve = Asking(asking.world, asking.agent, "", "eve")
        assert self.tried(asking, card, app_token(eve)) == (404, "not_found")

    def test_about_something_else(self, asking: Asking, card: dict[str, Any]) -> None:
        told = self.tried(asking, card, app_token(asking), content_hash="x" * 64)
        assert told == (409, "changed")

    @pytest.mark.parametrize(
        "said",
        [
            {"decision": "perhaps"},
            {"decision": None},
            {"scope": 7},
            {"scope": "calendar:read"},
            {"scope": ""},
            {"expires_in": 0},
            {"expires_in": "60"},
            {"expires_in": True},
        ],
    )
    def test_what_makes_no_sense(
        self, asking: Asking, card: dict[str, Any], said: dict[str, Any]
    ) -> None:
        assert self.tried(asking, card, app_token(asking), **said) == (400, "invalid_request")

    def test_somebody_locked_out(self, asking: Asking, card: dict[str, Any]) -> None:
        token = app_token(asking)
        asking.world.host.inactive.add(asking.person)
        answer = ask(asking, "POST", token, f"/{card['id']}", {"decision": "approve"})
        assert outcome(answer) == (401, "invalid_token")
        asking.world.host.inactive.discard(asking.person)


def test_too_late(asking: Asking) -> None:
    asking.asked(requested_expiry="30")
    token = app_token(asking)
    (card,) = listed(asking, token)
    asking.world.pass_time(31)
    said = {"decision": "approve", "content_hash": card["content_hash"]}
    assert ask(asking, "POST", token, f"/{card['id']}", said).status_code == 410


def test_a_sign_in_that_is_too_old_is_said_as_rfc_9470_says_it(asking: Asking) -> None:
    world = asking.world
    declare_scope(world.context.db, Scope("pay:fresh", PAY, "Pay", sensitive=True, max_age=60))
    world.register("fresh", scope=frozenset({"calendar:read", "pay:fresh"}))
    asking.agent = world.agent("fresh")
    asking.hold = world.hold("fresh", asking.person, scope="calendar:read")
    asking.asked(scope="openid pay:fresh")
    token = app_token(asking, auth_time=unix_time() - 600)
    (card,) = listed(asking, token)
    said = {"decision": "approve", "content_hash": card["content_hash"]}
    answer = ask(asking, "POST", token, f"/{card['id']}", said)
    assert outcome(answer) == (401, "insufficient_user_authentication")
    assert 'max_age="60"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "below"), [("POST", ""), ("GET", "/x"), ("DELETE", "/x")])
def test_another_method(asking: Asking, method: str, below: str) -> None:
    assert ask(asking, method, app_token(asking), below).status_code == 405
