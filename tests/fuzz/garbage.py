"""What nobody should send: bytes, parameters, JSON, JWTs and headers that bite somewhere.

Each of the fixed values has broken some server: NUL is no character to PostgreSQL, a lone
surrogate cannot be encoded, a quotation mark may not stand in an `error_description`, deep
nesting exhausts a parser, and `int("9" * 5000)` is refused by Python.
"""

import base64
import json
from typing import Any
from urllib.parse import quote_from_bytes

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import strategies as st
from joserfc.jwk import ECKey

DEEP = "[" * 3000 + "]" * 3000
NASTY = (
    b"", b" ", b"\0", b"a\0b", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b'"', b"\\", b"'", b"%",
    b"\r\nX: y", "é".encode(), "\u2028".encode(), "\U0001f600".encode(), b"[", b"{}", b"null",
    b"//", b"http://[", b"http://a:b@c", b"https://a.example/#f", b"javascript:alert(1)",
    b"-1", b"0", b"1e999", b"9" * 30, b"9" * 5000, b"NaN", b"true", b"..", b"../../etc/passwd",
    b"a" * 300, b"a" * 9000, b"a." * 400, b"a b c", b"a\tb", b"\x7f", b"<b>", b"$(id)", b"' OR 1=1",
)  # fmt: skip
PARAMETERS = (
    "grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type",
    "code", "redirect_uri", "code_verifier", "code_challenge", "code_challenge_method", "scope",
    "resource", "audience", "subject_token", "subject_token_type", "actor_token",
    "actor_token_type", "requested_token_type", "agent_jkt", "refresh_token", "token",
    "token_type_hint", "response_type", "state", "nonce", "prompt", "max_age", "request",
    "request_uri", "authorization_details", "decision", "until", "shown", "pass_on", "csrf_token",
    "username", "password", "next", "confirm", "binding_message", "login_hint", "login_hint_token",
    "id_token_hint", "requested_expiry", "auth_req_id", "user_code", "acr_values", "lifetime",
    "client_notification_token",
)  # fmt: skip
SOUND = (
    b"authorization_code", b"refresh_token", b"client_credentials", b"code", b"S256", b"planner",
    b"clerk", b"webapp", b"calendar-api", b"calendar:read", b"https://calendar.example", b"allow",
    b"urn:ietf:params:oauth:grant-type:token-exchange", b"http://127.0.0.1/callback", b"3600",
    b"urn:ietf:params:oauth:client-assertion-type:jwt-bearer", b"none", b"login", b"spawned",
    b"urn:ietf:params:oauth:token-type:access_token", b"access_token", b"drft_x", b"dspw_x",
    b"A" * 43, b"openid", b"openid pay:transfer", b"https://pay.example", b"approve", b"stop",
    b"urn:openid:params:grant-type:ciba", "Pay \u202e01".encode(),
)  # fmt: skip

values = st.one_of(
    st.sampled_from(NASTY),
    st.sampled_from(SOUND),
    st.binary(max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(str.encode),
)
Pairs = list[tuple[str, bytes]]
pairs: st.SearchStrategy[Pairs] = st.lists(
    st.tuples(st.sampled_from(PARAMETERS), values), max_size=8
)


def encoded(parameters: Pairs) -> str:
    """Return parameters as a form or a query has them."""
    return "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name, value in parameters)


# -- headers ----------------------------------------------------------------------------

BASIC = (
    "", "!!!", "/w==", "OjpB", "cGxhbm5lcg==", "A" * 5000, "é", "cGwAbm5lcjp4", "JTAwJTAwOiUwMA==",
    "cGxhbm5lcjrDqQ==", "w6k6w6k=", "cGxhbm5lcjo6Og==", "Y2xlcms6", "ZmY6/w==",
)  # fmt: skip
authorization = st.one_of(
    st.none(),
    st.sampled_from([f"Basic {value}".strip() for value in BASIC]),
    st.sampled_from(["Basic", "basic x", "Bearer", "Bearer é", "Bearer dspw_x", "DPoP x", "é", ""]),
    st.sampled_from(["Bearer a.b.c", "Bearer " + "a" * 9000, "Digest username=x", "Bearer dspw_é"]),
    st.binary(max_size=12).map(lambda raw: f"Basic {base64.b64encode(raw).decode()}".strip()),
)
content_types = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/json",
        "application/json; charset=utf-7",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "text/plain",
        "é",
        "",
    ]
)
methods = st.sampled_from(
    ["GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "JUNK"]
)
bodies = st.one_of(
    pairs.map(lambda parameters: encoded(parameters).encode()),
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"--x\r\nContent-Disposition: form-data; name=token\r\n\r\n\xff\0\r\n--x--\r\n",
            b'--x\r\nContent-Disposition: form-data; name="token"; filename="f"\r\n\r\nx\r\n--x--',
            b"--x",
            b"%",
            b"=&=&&;",
            b"a" * 70_000,
            b"{",
            b"[]",
            b'{"client_type": "agent"}',
        ]
    ),
)

# -- JSON -------------------------------------------------------------------------------

JSON_TEXTS = (
    DEEP, '{"a":' * 3000, "NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, '"\\ud800"', "",
    '"\\u0000"', "null", "true", "[]", "{}", '""', '{"a":1,"a":2}', "\ufeff{}", "'a'", "{a:1}",
)  # fmt: skip
strings = st.sampled_from(
    ["", "\0", "\ud800", "é", '"', "a b", "a" * 300, "a" * 9000, "none", "agent", "http://["]
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | strings
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_json(value: Any) -> bytes:
    """Return JSON as no strict writer would: NaN, and lone surrogates as escapes."""
    return json.dumps(value, allow_nan=True).encode()


# -- JWTs -------------------------------------------------------------------------------

HEADERS = (
    '{"alg":"ES256"}', '{"alg":"ES256","typ":"at+jwt"}', '{"alg":"none"}', '{"alg":"HS256"}',
    '{"alg":"RS256"}', '{"alg":"EdDSA"}', '{"alg":[]}', '{"alg":1}', "{}", "[]", "1", "null",
    '"x"', DEEP, '{"a":' * 3000, '{"alg":"ES256","kid":[]}', '{"alg":"ES256","kid":{}}',
    '{"alg":"ES256","kid":"\\ud800"}', '{"alg":"ES256","kid":"\\u0000","typ":"at+jwt"}',
    '{"alg":"ES256","crit":["x"]}', '{"alg":"ES256","crit":1}', '{"alg":"ES256","typ":[]}',
    '{"alg":"ES256","b64":false,"crit":["b64"]}', '{"alg":"ES256","jwk":{}}',
    '{"alg":"ES256","x5c":1}', '{"alg":"ES256","jku":"http://127.0.0.1/"}', "\xff", "",
    '{"alg":"ES256","kid":"' + "k" * 9000 + '"}', '{"alg":"ES256","zip":"DEF"}',
    '{"alg":"ES256","kid":' + "9" * 30 + "}",
)  # fmt: skip
PAYLOADS = (
    '{"sub":"planner"}', '{"sub":"webapp"}', '{"sub":"\\ud800"}', '{"sub":"a\\u0000b"}',
    '{"sub":[]}', '{"sub":{"a":[1]}}', '{"sub":null}', '{"sub":' + "9" * 4000 + "}",
    '{"sub":' + DEEP + "}", '{"sub":"planner","exp":1e999}', "[]", "1", "null", "", "\xff", DEEP,
    '{"sub":"planner","aud":' + DEEP + "}", '{"sub":"' + "a" * 9000 + '"}',
)  # fmt: skip


def basic(client_id: str, secret: str) -> str:
    """Return sound credentials."""
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"


def b64(text: str | bytes) -> str:
    raw = text if isinstance(text, bytes) else text.encode("latin-1")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


forged = st.one_of(
    st.builds(
        lambda header, payload, signature: f"{b64(header)}.{b64(payload)}.{signature}",
        st.sampled_from(HEADERS),
        st.sampled_from(PAYLOADS),
        st.sampled_from(["AAAA", "", "!", "A" * 86, "é"]),
    ),
    st.sampled_from(["..", "a.b.c", "...", "!.!.!", "é.é.é", "a.b", "=.=.=", "A.A.A", "." * 50]),
    st.binary(max_size=30).map(lambda raw: f"{b64(raw)}.{b64(raw)}.{b64(raw)}"),
)


def signed(header: bytes, payload: bytes, key: ECKey) -> str:
    """Sign whatever bytes these are: no library would."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    private: Any = key.private_key
    r, s = decode_dss_signature(private.sign(signing_input.encode(), ECDSA(SHA256())))
    return f"{signing_input}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


#: What is put in the place of parameters of a sound request, or beside them.
changes = st.dictionaries(
    st.sampled_from(PARAMETERS), values | forged.map(str.encode), min_size=1, max_size=3
)
