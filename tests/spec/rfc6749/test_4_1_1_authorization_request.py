"""The authorization request of an agent, and every reason to refuse it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.agents_http import pkce
from support.world import CALENDAR, CALLBACK, World, authorize_url

pytestmark = pytest.mark.section("RFC 6749", "4.1.1")

CHALLENGE = pkce()[1]


def ask(world: World, client_id: Any = "planner", **params: Any) -> httpx.Response:
    """Open the authorization request in the browser of ana, who is signed in."""
    challenge = params.pop("code_challenge", CHALLENGE)
    return world.browser().get(authorize_url(world.metadata, client_id, challenge, **params))


def sent_back(answer: httpx.Response, callback: str = CALLBACK) -> dict[str, str]:
    """Return what went back to the client, which is at `callback` and nowhere else."""
    assert answer.status_code in (302, 303), answer.text
    location = answer.headers["Location"]
    assert location.split("?")[0] == callback.split("?")[0]
    told = parse_qs(urlsplit(location).query)
    assert all(len(values) == 1 for values in told.values())
    return {name: values[0] for name, values in told.items()}


def told_to_the_person(answer: httpx.Response) -> str:
    """Return the page; nothing was redirected (§4.1.2.1)."""
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html")
    return answer.text


def test_a_good_one_is_a_page_for_the_person(world: World) -> None:
    answer = ask(world)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


def test_it_may_be_posted(world: World) -> None:
    url, _, query = authorize_url(world.metadata, "planner", CHALLENGE).partition("?")
    answer = world.browser().post(url, data=parse_qs(query))
    assert answer.status_code == 200
    assert "<form" in answer.text


@pytest.mark.parametrize(
    "name", ["resource", "request", "request_uri", "authorization_details", "prompt", "state"]
)
def test_a_parameter_without_a_value_counts_as_omitted(world: World, name: str) -> None:
    """ "Parameters sent without a value MUST be treated as if they were omitted" (§3.1)."""
    assert ask(world, **{name: ""}).status_code == 200


class TestToldToThePerson:
    """What is wrong with the client or its way back is never redirected."""

    @pytest.mark.parametrize(
        "client_id", [None, "", "nobody", "calendar-api", "ana", ["planner", "booker"], "a\x00"]
    )
    def test_the_client_is_not_known(self, world: World, client_id: Any) -> None:
        told_to_the_person(ask(world, client_id=client_id))

    def test_the_client_is_named_twice(self, world: World) -> None:
        told_to_the_person(ask(world, client_id=["planner", "planner"]))

    @pytest.mark.parametrize("status", ["pending", "suspended", "retired"])
    def test_the_agent_is_not_active(self, world: World, status: str) -> None:
        world.register(f"is-{status}", status=status)
        told_to_the_person(ask(world, f"is-{status}"))

    def test_the_agent_expired(self, world: World) -> None:
        world.register("expired", expires_at=1_700_000_001)
        told_to_the_person(ask(world, "expired"))

    @pytest.mark.parametrize(
        "redirect_uri",
        [
            "https://evil.example/callback",
            "http://127.0.0.1/callback/",
            "http://127.0.0.1/callback?",
            "http://127.0.0.1/callback#",
            "http://127.0.0.1/callback?x=1",
            "http://127.0.0.1/callback#x",
            "http://127.0.0.1/CALLBACK",
            "http://127.0.0.1/%63allback",
            "http://127.0.0.1/./callback",
            "http://127.0.0.1/callback/../callback",
            "http://127.0.0.1//callback",
            "https://127.0.0.1/callback",
            "HTTP://127.0.0.1/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "//127.0.0.1/callback",
            "/callback",
            "callback",
            "\x00",
            " http://127.0.0.1/callback",
            "http://127.0.0.1/callback ",
            "http://127.0.0.1/call\nback",
        ],
    )
    def test_the_redirect_uri_is_not_exactly_one_that_is_registered(
        self, world: World, redirect_uri: str
    ) -> None:
        told_to_the_person(ask(world, redirect_uri=redirect_uri))

    def test_the_redirect_uri_is_named_twice(self, world: World) -> None:
        told_to_the_person(ask(world, redirect_uri=[CALLBACK, "https://evil.example/"]))
        told_to_the_person(ask(world, redirect_uri=[CALLBACK, CALLBACK]))

    def test_none_is_named_and_several_are_registered(self, world: World) -> None:
        world.register("two-ways", redirect_uris=(CALLBACK, "https://planner.example/callback"))
        told_to_the_person(ask(world, "two-ways", redirect_uri=None))

    def test_none_is_registered(self, world: World) -> None:
        world.register("no-way", redirect_uris=())
        told_to_the_person(ask(world, "no-way", redirect_uri=None))
        told_to_the_person(ask(world, "no-way"))

    def test_the_page_does_not_repeat_what_was_sent(self, world: World) -> None:
        page = told_to_the_person(ask(world, redirect_uri="https://evil.example/<script>"))
        assert "evil.example" not in page


def test_without_one_the_only_one_that_is_registered_is_used(world: World) -> None:
    assert sent_back(ask(world, redirect_uri=None, scope=None))["error"] == "invalid_scope"


class TestToldToTheClient:
    """All else goes back to the client, with `state` and `iss`."""

    @pytest.mark.parametrize(
        ("params", "error"),
        [
            ({"response_type": None}, "invalid_request"),
            ({"response_type": ""}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "id_token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_type": "code token"}, "unsupported_response_type"),
            ({"response_type": "none"}, "unsupported_response_type"),
            ({"response_type": "CODE"}, "unsupported_response_type"),
            ({"response_type": '"é\\'}, "unsupported_response_type"),
            ({"response_type": ["code", "code"]}, "invalid_request"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": ""}, "invalid_scope"),
            ({"scope": "calendar:delete"}, "invalid_scope"),
            ({"scope": "calendar:read calendar:delete"}, "invalid_scope"),
            ({"scope": "openid"}, "invalid_scope"),
            ({"scope": "admin"}, "invalid_scope"),
            ({"scope": "approvals"}, "invalid_scope"),
            ({"scope": 'calendar:"read'}, "invalid_scope"),
            ({"scope": "calendar:réad"}, "invalid_scope"),
            ({"scope": " ".join(f"s{n}" for n in range(101))}, "invalid_scope"),
            ({"scope": ["calendar:read", "calendar:read"]}, "invalid_request"),
            ({"scope": "calendar:read\x00"}, "invalid_request"),
            ({"resource": "https://unknown.example"}, "invalid_target"),
            ({"resource": [CALENDAR, "https://unknown.example"]}, "invalid_target"),
            ({"resource": f"{CALENDAR}#x"}, "invalid_target"),
            ({"resource": "calendar.example"}, "invalid_target"),
            ({"resource": [CALENDAR] * 21}, None),
            ({"code_challenge": None}, "invalid_request"),
            ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
            ({"authorization_details": "[]"}, "invalid_authorization_details"),
            ({"authorization_details": '[{"type":"pay"}]'}, "invalid_authorization_details"),
            ({"prompt": ["none", "none"]}, "invalid_request"),
            ({"prompt": "none"}, "consent_required"),
            ({"unknown": "x\x00"}, "invalid_request"),
        ],
        ids=lambda of: str(of)[:60],
    )
    def test_what_is_wrong(self, world: World, params: dict[str, Any], error: str | None) -> None:
        answer = ask(world, **{"state": "s 1&é", **params})
        if error is None:
            assert answer.status_code == 200
            return
        told = sent_back(answer)
        assert told["error"] == error
        assert (told["state"], told["iss"]) == ("s 1&é", world.metadata["issuer"])
        assert "code" not in told

    def test_more_resources_than_a_request_may_name(self, world: World) -> None:
        many = [f"https://{n}.example" for n in range(21)]
        assert sent_back(ask(world, resource=many))["error"] == "invalid_target"

    def test_the_scope_is_beyond_the_ceiling(self, world: World) -> None:
        world.register("reader", scope=frozenset({"calendar:read"}))
        assert sent_back(ask(world, "reader", scope="calendar:write"))["error"] == "invalid_scope"

    def test_the_resource_is_not_one_of_the_agents(self, world: World) -> None:
        world.register("local", resources=frozenset({"https://flights.example"}))
        told = sent_back(ask(world, "local", scope="calendar:read", resource=[CALENDAR]))
        assert told["error"] == "invalid_target"

    def test_the_agent_may_not_ask_this_way(self, world: World) -> None:
        world.register("no-code", grant_types=frozenset({"client_credentials"}))
        assert sent_back(ask(world, "no-code"))["error"] == "unauthorized_client"

    def test_an_error_is_described_in_the_letters_it_may_have(self, world: World) -> None:
        described = sent_back(ask(world, response_type='"é\\')).get("error_description", "")
        assert all(0x20 <= ord(c) <= 0x7E and c not in '"\\' for c in described)

    def test_a_query_that_is_registered_is_kept(self, world: World) -> None:
        callback = "https://planner.example/callback?tenant=7"
        world.register("with-query", redirect_uris=(callback,))
        told = sent_back(ask(world, "with-query", redirect_uri=callback, scope=None), callback)
        assert (told["tenant"], told["error"]) == ("7", "invalid_scope")

    def test_without_a_state_none_is_sent_back(self, world: World) -> None:
        assert "state" not in sent_back(ask(world, state=None, scope=None))


class TestSignIn:
    """The host signs the person in, before anything is shown."""

    def test_nobody_is_sent_to_sign_in_and_comes_back(self, world: World) -> None:
        browser = world.browser(None)
        url = authorize_url(world.metadata, "planner", CHALLENGE)
        answer = browser.get(url)
        assert answer.status_code in (302, 303)
        sign_in = urlsplit(answer.headers["Location"])
        assert (sign_in.netloc, sign_in.path) == ("", "/sign-in")
        back = parse_qs(sign_in.query)["next"][0]
        assert back.startswith("/oauth/authorize?")
        browser.get("/sign-in", params={"person": "ana"})
        assert browser.get(back).status_code == 200

    def test_prompt_none_says_that_nobody_is_signed_in(self, world: World) -> None:
        url = authorize_url(world.metadata, "planner", CHALLENGE, prompt="none")
        assert sent_back(world.browser(None).get(url))["error"] == "login_required"

    def test_a_bad_request_is_refused_before_anybody_signs_in(self, world: World) -> None:
        url = authorize_url(world.metadata, "planner", CHALLENGE, redirect_uri="https://evil.ex")
        told_to_the_person(world.browser(None).get(url))

    def test_a_person_who_may_not_act_is_nobody(self, world: World) -> None:
        browser = world.browser("eve")
        world.host.inactive.add("eve")
        answer = browser.get(authorize_url(world.metadata, "planner", CHALLENGE))
        world.host.inactive.remove("eve")
        assert answer.headers["Location"].startswith("/sign-in")
