"""Whatever is sent to whatever endpoint by whomever, the answer is never a 500."""

import json
from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from fuzz import garbage
from fuzz.answers import (
    FOR_PROGRAMS,
    FORM,
    INTROSPECT,
    REGISTER,
    REVOKE,
    TOKEN,
    Target,
    sound,
    tried,
)
from fuzz.garbage import Pairs, encoded


@st.composite
def requests(draw: DrawFn) -> dict[str, object]:
    headers: dict[str, bytes] = {"Content-Type": draw(garbage.content_types).encode()}
    header = draw(garbage.authorization)
    if header is not None:
        headers["Authorization"] = header.encode()
    return {
        "method": draw(garbage.methods),
        "query": encoded(draw(st.just([]) | garbage.pairs)),
        "content": draw(garbage.bodies),
        "headers": headers,
        "chunked": draw(st.integers(0, 9)) == 0,
        "signed_in": draw(st.booleans()),
    }


@tried(150)
@given(st.data(), requests())
def test_no_endpoint_fails(target: Target, data: st.DataObject, request: dict[str, object]) -> None:
    path = data.draw(st.sampled_from(target.paths), label="path")
    body = bytes(request["content"])  # type: ignore[call-overload]
    headers = dict(request["headers"])  # type: ignore[call-overload]
    if request["signed_in"]:
        headers |= {"Cookie": target.cookie.encode(), "Accept": b"text/html"}
    sound(
        target.client.request(
            str(request["method"]),
            f"{path}?{request['query']}" if request["query"] else path,
            content=iter([body]) if request["chunked"] else body,
            headers=headers,
        )
    )


@pytest.mark.parametrize("path", FOR_PROGRAMS)
@tried(20)
@given(parameters=garbage.pairs, header=garbage.authorization)
def test_programs_get_json(
    target: Target, path: str, parameters: Pairs, header: str | None
) -> None:
    answer = target.client.post(
        path,
        content=encoded(parameters),
        headers=FORM | ({} if header is None else {"Authorization": header.encode()}),  # type: ignore[arg-type]
    )
    assert sound(answer).status_code in (400, 401)


@pytest.mark.parametrize("path", [TOKEN, INTROSPECT, REVOKE])
@tried(20)
@given(token=garbage.forged, more=garbage.pairs)
def test_forged_assertions(target: Target, path: str, token: str, more: Pairs) -> None:
    """Nobody gets in by one, and nobody learns more than that."""
    credentials = [*target.as_planner()[:1], ("client_assertion", token.encode())]
    answer = target.post(path, [*credentials, ("token", b"x"), *more])
    assert answer.status_code in (400, 401)


KEY = {
    "kty": "EC", "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}  # fmt: skip
REGISTRATION = {"redirect_uris": ["https://a.example/"], "jwks": {"keys": [KEY]}}


class TestTooMuch:
    """What one request can cost is bounded, however its length is said."""

    @pytest.mark.parametrize("path", FOR_PROGRAMS)
    @pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
    def test_a_large_body(self, target: Target, path: str, chunked: bool) -> None:
        filler = b"x" * 20_000
        parts = [json.dumps(REGISTRATION)[:-1].encode(), b',"x":"', *[filler] * 10, b'"}']
        kind = {"Content-Type": "application/json"}
        if path != REGISTER:
            sound_part = encoded([("grant_type", b"client_credentials"), *target.as_planner()])
            parts, kind = [f"{sound_part}&token=".encode(), *[filler] * 10], FORM
        content = iter(parts) if chunked else b"".join(parts)
        answer = target.client.post(path, content=content, headers=kind)
        assert sound(answer).status_code in (400, 413)

    @pytest.mark.parametrize("path", [TOKEN, INTROSPECT, REVOKE])
    def test_many_parameters(self, target: Target, path: str) -> None:
        answer = target.post(path, [(f"p{n}", b"") for n in range(5000)])
        assert answer.status_code in (400, 401)


registrations = st.dictionaries(
    st.sampled_from(
        [
            "client_name", "client_type", "scope", "resources", "delegates_to", "grant_types",
            "redirect_uris", "token_endpoint_auth_method", "jwks", "jwks_uri", "agent_purpose",
            "agent_model", "agent_vendor", "software_version", "agent_expires_at", "agent_owner",
            "max_delegation_depth", "client_id", "client_secret", "response_types",
        ]
    ),
    garbage.json_values,
    max_size=5,
)  # fmt: skip


class TestRegistration:
    """RFC 7591: JSON from nobody in particular."""

    @tried(60)
    @given(registrations, st.booleans())
    @example({"jwks": {"keys": [KEY | {"kid": "\ud800"}]}}, True)
    @example({"client_name": "\U0001f600" * 200, "agent_purpose": "é" * 200}, True)
    def test_members(self, target: Target, members: dict[str, object], keyed: bool) -> None:
        usual = {"redirect_uris": ["https://a.example/"]} | (
            {"jwks": {"keys": [KEY]}} if keyed else {}
        )
        self._send(target, garbage.as_json(usual | members))

    @tried(40)
    @given(st.dictionaries(st.sampled_from([*KEY, "kid", "use", "alg", "n", "e", "key_ops", "x5c"]),
                           garbage.json_values | st.sampled_from(["RSA", "OKP", "oct", "AQAB"]),
                           min_size=1, max_size=4))  # fmt: skip
    def test_keys(self, target: Target, members: dict[str, object]) -> None:
        self._send(target, garbage.as_json({"jwks": {"keys": [KEY | members]}}))

    @pytest.mark.parametrize("text", garbage.JSON_TEXTS, ids=lambda text: text[:12])
    def test_texts(self, target: Target, text: str) -> None:
        self._send(target, text.encode())
        self._send(target, b'{"client_type":"agent","jwks":' + text.encode() + b"}")

    def _send(self, target: Target, body: bytes) -> None:
        answer = target.client.post(
            REGISTER, content=body, headers={"Content-Type": "application/json"}
        )
        assert sound(answer).status_code in (201, 400)
        if answer.status_code == 201:
            assert json.loads(answer.content)["agent_status"] == "pending"


class TestManagedRegistration:
    """RFC 7592: JSON from an agent that has registered itself, or from nobody."""

    @tried(40)
    @given(registrations, st.booleans())
    @example({"jwks": {"keys": [KEY | {"kid": "\ud800"}]}}, True)
    def test_members(self, target: Target, members: dict[str, object], keyed: bool) -> None:
        told = self._registered(target)
        said = {"client_id": told["client_id"]} | (REGISTRATION if keyed else {}) | members
        answer = self._put(target, told, garbage.as_json(said))
        assert sound(answer).status_code in (200, 400)
        if answer.status_code == 200:
            assert answer.json()["agent_status"] == "pending"

    @pytest.mark.parametrize("text", garbage.JSON_TEXTS, ids=lambda text: text[:12])
    def test_texts(self, target: Target, text: str) -> None:
        assert sound(self._put(target, self._registered(target), text.encode())).status_code == 400

    @tried(40)
    @given(st.text(max_size=40), st.binary(max_size=40), st.sampled_from(["GET", "PUT", "DELETE"]))
    def test_nobody(self, target: Target, name: str, token: bytes, method: str) -> None:
        bearer = b"Bearer " + bytes(b for b in token if 32 < b != 127)
        path = f"{REGISTER}/{quote(name.encode(errors='surrogatepass'), safe='')}"
        answer = target.client.request(method, path, headers={b"Authorization": bearer + b"x"})
        assert sound(answer).status_code in (308, 401, 404)

    def _registered(self, target: Target) -> dict[str, str]:
        told: dict[str, str] = target.client.post(REGISTER, json=REGISTRATION).json()
        return told

    def _put(self, target: Target, told: dict[str, str], body: bytes) -> httpx.Response:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {told['registration_access_token']}",
        }
        path = f"{REGISTER}/{told['client_id']}"
        return target.client.put(path, content=body, headers=headers)
