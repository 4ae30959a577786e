"""Garbage from agents, which authenticate: it reaches everything behind the door.

A good agent with a good assertion sends one sound request in which something is not.
"""

import json
import secrets
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz import garbage
from fuzz.answers import (
    AUTHORIZE,
    BACKCHANNEL,
    INTROSPECT,
    PUSH,
    REVOKE,
    TOKEN,
    Target,
    tried,
)
from fuzz.garbage import Pairs, changes, signed
from support import agents_http
from support.asking import CIBA
from support.world import CALENDAR, CALLBACK, PAY, SECRET

EXCHANGE = agents_http.TOKEN_EXCHANGE.encode()
ACCESS_TOKEN = agents_http.ACCESS_TOKEN.encode()

#: They are good: which key is the agent's, its registration says, and no header.
IGNORED = (
    '{"alg":"ES256"}',
    '{"alg":"ES256","jwk":{}}',
    '{"alg":"ES256","jku":"http://127.0.0.1/"}',
)


@pytest.fixture(scope="module")
def tokens(target: Target) -> dict[str, str]:
    """What planner holds for ana."""
    told: dict[str, str] = target.world.consent().json()
    return told


class TestTheTokenEndpoint:
    """Each grant, with garbage in the place of one parameter or beside it."""

    @pytest.mark.parametrize(
        "grant",
        [
            "exchange",
            "step-up",
            "spawn",
            "hand-over",
            "code",
            "refresh",
            "client_credentials",
            "ciba",
        ],
    )
    @tried(20)
    @given(changed=changes, repeated=garbage.pairs.filter(lambda pairs: len(pairs) < 3))
    def test_a_sound_request_that_was_changed(
        self,
        target: Target,
        tokens: dict[str, str],
        grant: str,
        changed: dict[str, bytes],
        repeated: Pairs,
    ) -> None:
        usual = self._sound(target, tokens, grant) | dict(target.as_planner())
        answer = target.post(TOKEN, [*(usual | changed).items(), *repeated])
        assert answer.status_code in (200, 400, 401)

    def _sound(self, target: Target, tokens: dict[str, str], grant: str) -> dict[str, bytes]:
        exchange = {
            "grant_type": EXCHANGE,
            "subject_token": tokens["access_token"].encode(),
            "subject_token_type": ACCESS_TOKEN,
        }
        registration = target.world.metadata["registration_endpoint"].encode()
        return {
            "exchange": exchange | {"resource": CALENDAR.encode()},
            "step-up": exchange
            | {"resource": PAY.encode(), "scope": b"pay:transfer", "binding_message": b"TP1234"},
            "ciba": {"grant_type": CIBA.encode(), "auth_req_id": b"A" * 43},
            "spawn": exchange
            | {"resource": registration, "scope": b"calendar:read", "agent_jkt": b"A" * 43},
            "hand-over": exchange | {"audience": b"booker", "scope": b"calendar:read"},
            "code": {
                "grant_type": b"authorization_code",
                "code": b"x",
                "redirect_uri": CALLBACK.encode(),
                "code_verifier": b"v" * 43,
            },
            # Never the real one: a reused token would end the delegation of all the others.
            "refresh": {"grant_type": b"refresh_token", "refresh_token": b"drft_unknown"},
            "client_credentials": {"grant_type": b"client_credentials"},
        }[grant]

    @tried(20)
    @given(name=st.sampled_from(["subject_token", "actor_token"]), token=garbage.forged)
    def test_a_forged_token(
        self, target: Target, tokens: dict[str, str], name: str, token: str
    ) -> None:
        exchange = self._sound(target, tokens, "exchange")
        exchange |= {"actor_token_type": ACCESS_TOKEN, "actor_token": b"x", name: token.encode()}
        answer = target.post(TOKEN, [*exchange.items(), *target.as_planner()])
        assert answer.status_code == 400

    def test_the_holds_are_good_still(self, target: Target, tokens: dict[str, str]) -> None:
        """Nothing of the above has ended what planner holds."""
        answer = target.world.agent("planner").introspect(tokens["access_token"])
        assert answer.json()["active"] is True


class TestTheBackchannelEndpoint:
    """CIBA Core §13, with garbage in the place of one parameter or beside it."""

    @tried(60)
    @given(
        changed=changes,
        repeated=garbage.pairs.filter(lambda pairs: len(pairs) < 3),
        message=garbage.values,
    )
    def test_a_sound_request_that_was_changed(
        self,
        target: Target,
        tokens: dict[str, str],
        changed: dict[str, bytes],
        repeated: Pairs,
        message: bytes,
    ) -> None:
        usual = {
            "scope": b"openid pay:transfer",
            "resource": PAY.encode(),
            "login_hint_token": tokens["access_token"].encode(),
            "binding_message": message,
        } | dict(target.as_planner())
        answer = target.post(BACKCHANNEL, [*(usual | changed).items(), *repeated])
        assert answer.status_code in (200, 400, 401, 403)

    @tried(20)
    @given(name=st.sampled_from(["login_hint_token", "id_token_hint"]), token=garbage.forged)
    def test_a_forged_hint(self, target: Target, name: str, token: str) -> None:
        asked = [("scope", b"openid pay:transfer"), (name, token.encode())]
        answer = target.post(BACKCHANNEL, [*asked, *target.as_planner()])
        assert answer.status_code == 400


class TestThePushEndpoint:
    """RFC 9126 §2.3, with garbage in the place of one parameter or beside it; what is taken
    opens a page, or goes back to the agent."""

    @tried(60)
    @given(changed=changes, repeated=garbage.pairs.filter(lambda pairs: len(pairs) < 3))
    def test_a_sound_request_that_was_changed(
        self, target: Target, changed: dict[str, bytes], repeated: Pairs
    ) -> None:
        usual = {
            "response_type": b"code",
            "redirect_uri": CALLBACK.encode(),
            "scope": b"calendar:read",
            "resource": CALENDAR.encode(),
            "code_challenge": agents_http.pkce()[1].encode(),
            "code_challenge_method": b"S256",
        } | dict(target.as_planner())
        answer = target.post(PUSH, [*(usual | changed).items(), *repeated])
        assert answer.status_code in (201, 400, 401)
        if answer.status_code == 201:
            reference = answer.json()["request_uri"].encode()
            link = [("client_id", b"planner"), ("request_uri", reference)]
            assert target.browse("GET", AUTHORIZE, [*link, *repeated], []).status_code < 500


class TestIntrospectionAndRevocation:
    """RFC 7662 §2.2: of what is no token of anybody's, exactly that it is not active."""

    @tried(30)
    @given(
        token=garbage.values | garbage.forged.map(str.encode),
        hint=garbage.values,
        by_agent=st.booleans(),
    )
    def test_what_is_no_token(
        self, target: Target, token: bytes, hint: bytes, by_agent: bool
    ) -> None:
        parameters = [("token", token), ("token_type_hint", hint)]
        basic = {"Authorization": garbage.basic("calendar-api", SECRET)}
        credentials = target.as_planner() if by_agent else []
        headers = {} if by_agent else basic
        answer = target.post(INTROSPECT, [*parameters, *credentials], **headers)
        if answer.status_code == 200:
            assert answer.json() == {"active": False}
        else:
            assert answer.json()["error"] == "invalid_request"
        credentials = target.as_planner() if by_agent else []
        answer = target.post(REVOKE, [*parameters, *credentials], **headers)
        assert answer.status_code in (200, 400)

    @pytest.mark.parametrize("header", garbage.HEADERS, ids=lambda header: header[:24])
    def test_a_token_with_an_odd_header(self, target: Target, header: str) -> None:
        payload = json.dumps({"sub": "planner", "client_id": "planner", "exp": 4_000_000_000})
        key = target.world.keys["planner"]
        token = signed(header.encode("latin-1"), payload.encode(), key)
        answer = target.post(INTROSPECT, [("token", token.encode()), *target.as_planner()])
        if answer.status_code == 200:
            assert answer.json() == {"active": False}
        else:
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


claims = st.dictionaries(
    st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "typ", "cnf", "act"]),
    garbage.json_values,
    min_size=1,
    max_size=3,
)


class TestAssertions:
    """Signed with the agent's own key, and still garbage (RFC 7523 §3)."""

    @tried(60)
    @given(claims)
    @example({"jti": "\ud800"})
    @example({"jti": "a\0b"})
    @example({"exp": float("inf")})
    @example({"exp": float("nan")})
    @example({"nbf": float("-inf")})
    @example({"nbf": float("nan")})
    @example({"aud": [[]]})
    @example({"iat": 10**30})
    def test_claims(self, target: Target, changed: dict[str, Any]) -> None:
        answer = self._present(target, b'{"alg":"ES256"}', self._payload(target, changed))
        assert answer.status_code in (200, 400, 401)  # 400: longer than an assertion may be

    @pytest.mark.parametrize("header", garbage.HEADERS, ids=lambda header: header[:24])
    def test_headers(self, target: Target, header: str) -> None:
        answer = self._present(target, header.encode("latin-1"), self._payload(target, {}))
        assert answer.status_code == (200 if header in IGNORED else 401)

    @pytest.mark.parametrize("payload", garbage.PAYLOADS, ids=lambda payload: payload[:24])
    def test_payloads(self, target: Target, payload: str) -> None:
        answer = self._present(target, b'{"alg":"ES256"}', payload.encode("latin-1"))
        assert answer.status_code == 401

    def test_one_that_is_twice_as_long_as_allowed(self, target: Target) -> None:
        payload = self._payload(target, {"filler": "x" * 40_000})
        assert self._present(target, b'{"alg":"ES256"}', payload).status_code in (400, 401)

    def _payload(self, target: Target, changed: dict[str, Any]) -> bytes:
        now = agents_http.unix_time()
        usual = {
            "iss": "planner",
            "sub": "planner",
            "aud": target.world.metadata["issuer"],
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return garbage.as_json(usual | changed)

    def _present(self, target: Target, header: bytes, payload: bytes) -> agents_http.httpx.Response:
        assertion = signed(header, payload, target.world.keys["planner"])
        return target.post(
            TOKEN,
            [
                ("grant_type", b"client_credentials"),
                ("client_assertion_type", agents_http.JWT_BEARER.encode()),
                ("client_assertion", assertion.encode()),
            ],
        )
