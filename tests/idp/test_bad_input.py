"""Whatever is sent to whatever endpoint, the answer is never a 500, and errors are JSON."""

import logging
import re
from collections.abc import Iterator
from urllib.parse import quote_from_bytes, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.browser import PASSWORD, SECRET, Application, Browser, forms, query_of
from idp.conftest import Idp

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
POSTED = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]
NAMES = [
    "grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "scope",
    "refresh_token", "token", "token_type_hint", "response_type", "state", "nonce", "prompt",
    "max_age", "code_challenge", "code_challenge_method", "resource", "request", "response_mode",
    "next", "username", "password", "decision", "csrf_token", "id_token_hint", "login_hint",
    "post_logout_redirect_uri",
]  # fmt: skip
VALUES = [
    b"authorization_code", b"refresh_token", b"client_credentials", b"webapp", b"job", b"desktop",
    SECRET.encode(), b"code", b"openid", b"http://127.0.0.1/callback", b"S256", b"login", b"none",
    b"a" * 43, b"0", b"9" * 30, b"\xff\xfe", b"\0", b"a\0b", b'"', b"\\", b"\r\nX: y", "é".encode(),
    b"[", b"http://[", b"//", b" ", b"", b"\xed\xa0\x80",
]  # fmt: skip
PATHS = [
    *POSTED, "/oauth/authorize", "/oauth/userinfo", "/oauth/jwks", "/sign-in", "/sign-out",
    "/consent", "/account", "/account/withdraw", "/", "/.well-known/openid-configuration",
    "/health/ready", "/static/idp.css", "/nowhere", "/end-session", "/end-session/confirm",
]  # fmt: skip

values = (
    st.sampled_from(VALUES)
    | st.binary(max_size=20)
    | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
)
pairs = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=8)
encoded = pairs.map(
    lambda items: "&".join(f"{name}={quote_from_bytes(value)}" for name, value in items)
)
raw = st.binary(max_size=60)
authorization = st.none() | st.sampled_from(
    [
        "Basic",
        "Basic /w==",
        "Basic OjpB",
        "Bearer",
        "Bearer x",
        "Basic " + "A" * 50,
        "Basic é",
        "é",
    ]
)
content_types = st.sampled_from(
    ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x",
     "text/plain", "application/x-www-form-urlencoded; charset=utf-16", ""]
)  # fmt: skip


@pytest.fixture(scope="module")
def client(idp: Idp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=idp.url, timeout=30) as open_client:
        yield open_client


@pytest.fixture(scope="module")
def token(ana: Browser) -> str:
    return forms(ana.get("/sign-out"))[0].fields["csrf_token"]


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["GET", "POST", "PUT"]), st.sampled_from(PATHS), encoded, encoded | raw,
       content_types, authorization, st.booleans())  # fmt: skip
def test_no_endpoint_fails(
    client: httpx.Client, ana: Browser, token: str, method: str, path: str, query: str,
    body: str | bytes, content_type: str, header: str | None, signed_in: bool,
) -> None:  # fmt: skip
    headers: dict[str, str | bytes] = {
        "Content-Type": content_type,
        "Accept": "text/html" if signed_in else "*/*",
    }
    if header is not None:
        headers["Authorization"] = header.encode()
    if signed_in and path not in ("/sign-out", "/sign-in"):
        headers["X-CSRFToken"] = token
        headers["Cookie"] = f"deputize-session={ana.cookies['deputize-session']}"
    url = path + (f"?{query}" if query else "")
    answer = client.request(method, url, content=body, headers=headers)
    assert answer.status_code < 500, (method, url, body, headers, answer.text)


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(st.booleans(), st.dictionaries(st.sampled_from(NAMES), values, max_size=2), encoded)
def test_nor_does_a_sound_request_that_was_changed(
    ana: Browser, webapp: Application, token: str, press: bool,
    changes: dict[str, bytes], extra: str,
) -> None:  # fmt: skip
    sound = {name: value.encode() for name, value in webapp.request_parameters().items()}
    query = "&".join(f"{name}={quote_from_bytes(v)}" for name, v in (sound | changes).items())
    if press:
        answer = ana.post(f"/consent?{query}", data={"csrf_token": token, "decision": "allow"})
    else:
        answer = ana.get(
            f"/oauth/authorize?{query}&{extra}" if len(changes) > 1 else f"/oauth/authorize?{query}"
        )
    assert answer.status_code < 500, (query, answer.text)
    if answer.is_redirect and "code" in query_of(answer.headers["location"]):
        code = query_of(answer.headers["location"])["code"]
        form = {"grant_type": b"authorization_code", "code": code.encode(), **changes}
        body = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in form.items())
        auth = (webapp.client_id, SECRET)
        assert webapp.post("/oauth/token", content=body, headers=FORM, auth=auth).status_code < 500


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(POSTED), encoded)
def test_programs_always_get_json_that_is_not_stored(
    client: httpx.Client, path: str, body: str
) -> None:
    answer = client.post(path, content=body, headers=FORM)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert isinstance(told, dict)
    assert answer.status_code == 200 or re.fullmatch("[a-z_]+", told["error"])


@pytest.mark.parametrize("path", POSTED)
class TestTokenEndpointParameters:
    """RFC 6749, sections 2.3.1, 3.2 and 5.2: 400 `invalid_request`."""

    def test_none_in_the_url(self, job: Application, path: str) -> None:
        answer = job.post(f"{path}?token=x", data={"grant_type": "client_credentials"})
        assert_invalid(answer)

    def test_none_repeated(self, job: Application, path: str) -> None:
        assert_invalid(job.post(path, content="token=a&token=b", headers=FORM))

    def test_only_as_a_form(self, job: Application, path: str) -> None:
        assert_invalid(job.post(path, json={"grant_type": "client_credentials"}))

    def test_only_utf8(self, job: Application, path: str) -> None:
        assert_invalid(job.post(path, content=b"token=%ff", headers=FORM))
        assert_invalid(job.post(path, content=b"token=\xff", headers=FORM))

    def test_no_nul(self, job: Application, path: str) -> None:
        assert_invalid(job.post(path, content=b"token=a%00b", headers=FORM))

    def test_no_more_than_the_limit(self, job: Application, path: str) -> None:
        assert_invalid(job.post(path, content=b"token=" + b"a" * 70000, headers=FORM))

    def test_only_post(self, job: Application, path: str) -> None:
        answer = job.get(path)
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]
        assert answer.json()["error"] == "invalid_request"


def test_a_missing_grant_type_is_told(job: Application) -> None:
    assert_invalid(job.call("/oauth/token", scope="reports"))
    assert_invalid(job.call("/oauth/token", grant_type=""))


def test_a_defect_shows_an_id_and_no_text(
    idp: Idp, stranger: Browser, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened is in the log, under the same id."""

    def fail() -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setitem(idp.app.view_functions, "health.live", fail)
    with caplog.at_level(logging.ERROR):
        answer = stranger.get("/health/live")
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "secret detail" not in answer.text
    error_id = re.search(r"[0-9a-f]{12}", answer.text)
    assert error_id
    assert error_id[0] in caplog.text


def test_no_token_is_logged_at_any_level(
    stranger: Browser, webapp: Application, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        stranger.sign_in()
        tokens = webapp.tokens(stranger)
        webapp.refresh(tokens["refresh_token"])
    for secret in (tokens["access_token"], tokens["refresh_token"], SECRET, PASSWORD):
        assert secret not in caplog.text


def test_the_host_header_leads_nowhere(stranger: Browser, webapp: Application) -> None:
    answer = stranger.get(
        "/oauth/authorize", params=webapp.request_parameters(), headers={"Host": "evil.example"}
    )
    assert not urlsplit(answer.headers["location"]).netloc


def assert_invalid(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), answer.text
    assert answer.headers["cache-control"] == "no-store"
