"""How an agent proves who it is: by its key (RFC 7523), by a secret, or not at all."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote_plus

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

SigningKey = ECKey | OKPKey | RSAKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TYP = "client-authentication+jwt"
REQUEST_TYP = "oauth-authz-req+jwt"
ASSERTION_LIFETIME = 60  # seconds; the server accepts 5 minutes at most

_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "Ed25519": "Ed25519"}


class Credential(Protocol):
    """What a request is authenticated with."""

    def form(self, client_id: str, issuer: str, now: int) -> dict[str, str]:
        """Return the parameters that it adds to a request's form at `now` (unix seconds)."""
        ...

    def headers(self, client_id: str) -> dict[str, str]:
        """Return what it adds to a request's headers."""
        ...


@dataclass(frozen=True, slots=True)
class ByKey:
    """`private_key_jwt`: a new assertion signs each request."""

    key: SigningKey = field(repr=False)

    def form(self, client_id: str, issuer: str, now: int) -> dict[str, str]:
        assertion = client_assertion(self.key, client_id, issuer, now)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    def headers(self, client_id: str) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class BySecret:
    """`client_secret_basic`. :rfc:`6749#section-2.3.1`: both are form-encoded first."""

    secret: str = field(repr=False)

    def form(self, client_id: str, issuer: str, now: int) -> dict[str, str]:
        return {}

    def headers(self, client_id: str) -> dict[str, str]:
        pair = f"{quote_plus(client_id)}:{quote_plus(self.secret)}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


@dataclass(frozen=True, slots=True)
class ByNothing:
    """A public client, on a person's own device: it names itself."""

    def form(self, client_id: str, issuer: str, now: int) -> dict[str, str]:
        return {"client_id": client_id}

    def headers(self, client_id: str) -> dict[str, str]:
        return {}


def credential_of(
    key: SigningKey | None, secret: str | None, signs_requests: bool = False
) -> Credential:
    """Return the one credential that was given.

    :raises ValueError: for a key and a secret: a request authenticates in one way; where
        requests are to be signed and there is no key
    """
    if signs_requests and key is None:
        raise ValueError("requests are signed by a key: there is none")
    if key is not None and secret is not None:
        raise ValueError("an agent has a key or a secret, not both")
    if key is not None:
        return ByKey(key)
    return BySecret(secret) if secret is not None else ByNothing()


def new_key() -> ECKey:
    """Make a P-256 key, for ES256."""
    return ECKey.generate_key("P-256")


def jwks_of(key: SigningKey) -> dict[str, Any]:
    """Return the public half of `key` as a JWK Set, ready to be registered."""
    return {"keys": [{**key.as_dict(private=False), "kid": _kid(key)}]}


def client_assertion(key: SigningKey, client_id: str, issuer: str, now: int) -> str:
    """Sign an assertion that `client_id` is who asks. :rfc:`7523#section-3`.

    Its `aud` is the issuer and nothing else, so that it is good at no other server.
    """
    algorithm = _algorithm(key)
    header = {"alg": algorithm, "kid": _kid(key), "typ": ASSERTION_TYP}
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(header, claims, key, [algorithm])


def signed_request(
    key: SigningKey, client_id: str, issuer: str, now: int, params: Mapping[str, str | None]
) -> str:
    """Sign an authentication request, all of `params` in it. CIBA Core §7.1.1.

    It has no `sub`, so that nobody can use it as a client assertion.
    """
    algorithm = _algorithm(key)
    header = {"alg": algorithm, "kid": _kid(key), "typ": REQUEST_TYP}
    claims = {name: value for name, value in params.items() if value is not None}
    claims |= {"iss": client_id, "aud": issuer, "jti": secrets.token_urlsafe(16)}
    times = {"iat": now, "nbf": now, "exp": now + ASSERTION_LIFETIME}
    return jwt.encode(header, claims | times, key, [algorithm])


def _algorithm(key: SigningKey) -> str:
    return "PS256" if isinstance(key, RSAKey) else _ALGORITHMS[key.curve_name]


def _kid(key: SigningKey) -> str:
    return key.kid or key.thumbprint()
