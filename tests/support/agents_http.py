"""What an agent's developer would write with an HTTP client and a JWT library alone.

Nothing here comes from `deputize`: the tests must see the wire as a stranger does.
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ASSERTION_LIFETIME = 60  # seconds

#: Seconds by which a test moved the server's clock, and so its clients'.
clock_offset = 0

Param = str | list[str] | None
http = httpx.Client(timeout=10, trust_env=False)


@dataclass
class Agent:
    """A client of the server that `metadata` (RFC 8414) describes.

    It authenticates with its key (`private_key_jwt`), else with its secret
    (`client_secret_basic`, RFC 6749 §2.3.1), else not at all (a public client).
    """

    client_id: str
    metadata: dict[str, Any]
    key: ECKey | None = None
    secret: str | None = field(default=None, repr=False)

    def post(self, endpoint: str, prefer: str | None = None, /, **params: Param) -> httpx.Response:
        """POST a form to an endpoint by its name in the metadata, `token_endpoint` say.

        A list sends its parameter once per item; None leaves the parameter out, were it
        one of the authentication's.

        :param prefer: the `Prefer` header (RFC 7240)
        """
        headers = {} if prefer is None else {"Prefer": prefer}
        sent = (self._authentication() | params).items()
        form = {name: value for name, value in sent if value is not None}
        return http.post(self.metadata[endpoint], data=form, auth=self._basic(), headers=headers)

    def exchange(self, subject_token: str, /, **params: Param) -> httpx.Response:
        """Ask for a token exchange (RFC 8693 §2.1)."""
        request: dict[str, Param] = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": ACCESS_TOKEN,
        }
        return self.post("token_endpoint", **request | params)

    def introspect(self, token: str, /, **params: Param) -> httpx.Response:
        """Ask whether a token is active (RFC 7662 §2.1)."""
        return self.post("introspection_endpoint", token=token, **params)

    def revoke(self, token: str, /, **params: Param) -> httpx.Response:
        """Give a token up (RFC 7009 §2.1)."""
        return self.post("revocation_endpoint", token=token, **params)

    def client_assertion(self, **claims: Any) -> str:
        """Sign an assertion of RFC 7523 §3; `claims` replace its own, None removes one."""
        assert self.key
        now = int(time.time()) + clock_offset
        usual = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.metadata["issuer"],
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": secrets.token_urlsafe(16),
        }
        signed = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": thumbprint(self.key)}, signed, self.key)

    def ask_to_spawn(self, token: str, scope: str, key: ECKey, **params: Param) -> httpx.Response:
        """Ask for a spawn token for a child that will hold `key`."""
        endpoint = self.metadata["registration_endpoint"]
        asked = {"resource": endpoint, "scope": scope, "agent_jkt": thumbprint(key)}
        return self.exchange(token, **asked | params)

    def register_child(self, spawn_token: str, key: ECKey, **members: Any) -> httpx.Response:
        """Register the child with the spawn token as initial access token (RFC 7591 §3)."""
        return register(self.metadata, spawn_token, **{"jwks": jwks(key)} | members)

    def _authentication(self) -> dict[str, Param]:
        if self.key:
            assertion = self.client_assertion()
            return {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        return {} if self.secret else {"client_id": self.client_id}

    def _basic(self) -> httpx.Auth:
        if self.key or not self.secret:
            return httpx.Auth()
        return httpx.BasicAuth(quote_plus(self.client_id), quote_plus(self.secret))


def discover(issuer: str) -> dict[str, Any]:
    """Read the metadata of an issuer that has no path (RFC 8414 §3.1)."""
    answer = http.get(f"{issuer}/.well-known/oauth-authorization-server")
    metadata: dict[str, Any] = answer.raise_for_status().json()
    return metadata


def register(
    metadata: dict[str, Any], initial_access_token: str | None = None, /, **members: Any
) -> httpx.Response:
    """Register a client by its metadata (RFC 7591 §3.1); None leaves a member out."""
    headers = {"Content-Type": "application/json"}
    if initial_access_token:
        headers["Authorization"] = f"Bearer {initial_access_token}"
    url = metadata["registration_endpoint"]
    said = {name: value for name, value in members.items() if value is not None}
    return http.post(url, content=json.dumps(said), headers=headers)


def outcome(answer: httpx.Response) -> tuple[int, str]:
    """The status and error code of an answer, which is JSON that nobody may store."""
    assert answer.headers["Content-Type"].startswith("application/json"), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json().get("error", "none")


def unix_time() -> int:
    """The time by the agent's clock."""
    return int(time.time()) + clock_offset


def new_key() -> ECKey:
    """Make a P-256 key for ES256."""
    return ECKey.generate_key("P-256")


def jwks(key: ECKey) -> dict[str, Any]:
    """The public half of a key as a JWK Set, ready for the client metadata `jwks`."""
    public = key.as_dict(private=False)
    return {"keys": [public | {"kid": thumbprint(key), "use": "sig", "alg": "ES256"}]}


def thumbprint(key: ECKey) -> str:
    """The SHA-256 thumbprint of a key (RFC 7638), the value of `jkt`."""
    return key.thumbprint()


def pkce() -> tuple[str, str]:
    """Make a `code_verifier` and its S256 `code_challenge` (RFC 7636 §4)."""
    verifier = secrets.token_urlsafe(32)
    return verifier, _base64url(hashlib.sha256(verifier.encode()).digest())


def decode(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a JWT's header and claims without verifying anything."""
    header, claims, _signature = token.split(".")
    return _part(header), _part(claims)


def _part(text: str) -> dict[str, Any]:
    part: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return part


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
