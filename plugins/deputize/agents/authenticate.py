"""Client authentication of agents and resource servers (RFC 6749 §2.3, RFC 7523).

Exactly one method a request. A client's method is the one it registered, and unknown
client, wrong secret and wrong status get the same answer. Which client an assertion
names is read before it is verified; nothing else of it is.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from ..catalogue.models import ResourceServer
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import is_secret
from ..core.used_once import use_once
from ..settings import Bounds
from .models import Agent
from .remote_keys import RemoteKeys
from .rotate import retiring_of
from .signed import LEEWAY, MAX_AGE, Signed, find_signed, is_good_jti, is_within_time, json_object

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: `typ` headers of a client assertion; no other JWT of ours is one.
ASSERTION_TYPS = frozenset({None, "JWT", "client-authentication+jwt"})

#: What a wrong secret is compared with when there is no client, so that both take as long.
_NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request presents. `method` is RFC 7591's name for it."""

    client_id: str
    method: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion that was verified, and is to be used up by this request."""

    jti: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated client: an agent, or a resource server.

    The assertion it used is spent in the transaction that answers the request, a
    refusal's included.
    """

    client: Agent | ResourceServer
    assertion: Assertion | None = None

    @property
    def client_id(self) -> str:
        return self.client.client_id

    @property
    def agent(self) -> Agent:
        """The agent, where only agents may call."""
        if not isinstance(self.client, Agent):
            raise Refusal("client.not_an_agent", "Only agents may do this.")
        return self.client

    def get_client_id(self) -> str:
        return self.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        return isinstance(self.client, Agent) and self.client.check_grant_type(grant_type)

    def spend(self, tx: Transaction) -> None:
        """Use up the assertion (RFC 7523 §3, `jti`).

        :raises Refusal: where it was used before, on any endpoint and any worker
        """
        if self.assertion is None:
            return
        name = f"{self.client_id}\n{self.assertion.jti}"
        if not use_once(tx, "client_assertion", name, self.assertion.expires_at + LEEWAY):
            raise Refusal("client.assertion_replayed", "The client assertion was used before.")


def caller_of(request: Any) -> Caller:
    """Return the caller that was authenticated for an Authlib request."""
    caller: Caller = request.client
    return caller


def find_credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> Credentials | None:
    """Return the one set of credentials of a request, or None where it has none.

    :raises Refusal: `client.two_methods` for more than one method or client (RFC 6749 §2.3)
    """
    found = [c for c in (_basic(headers), _post(form), _assertion(form)) if c]
    named = {c.client_id for c in found} | ({form["client_id"]} if "client_id" in form else set())
    if len(found) > 1 or len(named) > 1:
        raise Refusal("client.two_methods", "The request authenticates in more than one way.")
    if found:
        return found[0]
    return Credentials(form["client_id"], "none") if "client_id" in form else None


def authenticate(
    credentials: Credentials,
    client: Agent | ResourceServer | None,
    *,
    issuer: str,
    now: int,
    bounds: Bounds,
    remote_keys: RemoteKeys,
) -> Caller:
    """Return the caller whose `credentials` these are.

    :param client: what is registered under the credentials' client id
    :raises Refusal: `client.not_authenticated`
    """
    given = credentials
    method = _registered_method(client)
    if given.method == "private_key_jwt" == method and isinstance(client, Agent):
        signed = find_signed(given.secret, client, now, bounds, remote_keys)
        if signed is None:
            raise Refusal("client.not_authenticated", _REFUSED)
        return Caller(client, _read_assertion(signed, client, issuer, now, bounds))
    if given.method == "none" == method and client is not None:
        return Caller(client)
    by_secret = given.method == "secret" == method
    # Both are compared, whoever it is: the time tells nothing.
    is_good = [is_secret(given.secret, stored) for stored in _secrets_of(client, now)]
    if any(is_good) and by_secret and client is not None:
        return Caller(client)
    raise Refusal("client.not_authenticated", _REFUSED)


def require_live(caller: Caller, now: int) -> None:
    """Refuse an agent that proved who it is, but is not active and unexpired.

    :raises Refusal: `client.not_active`, which tells no more than a wrong secret would
    """
    if isinstance(caller.client, Agent) and not caller.client.is_live(now):
        raise Refusal("client.not_active", _REFUSED)


_REFUSED = "Client authentication failed."


def _secrets_of(client: Agent | ResourceServer | None, now: int) -> tuple[str, str]:
    """Return the hash of its secret, and of one that is good still though it was replaced."""
    retiring = retiring_of(client, now) if isinstance(client, Agent) else None
    return (client.secret_digest if client else None) or _NOBODY, retiring or _NOBODY


def _registered_method(client: Agent | ResourceServer | None) -> str | None:
    # A secret may be sent in either of its two ways; both are advertised.
    if not isinstance(client, Agent) or client.token_endpoint_auth_method.startswith("client_s"):
        return "secret"
    return client.token_endpoint_auth_method


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Return the client id and secret of an `Authorization: Basic` header, None where it is none.

    :raises ValueError: for one that cannot be read
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    # RFC 6749 §2.3.1: both are form-encoded before they are joined.
    return unquote_plus(client_id), unquote_plus(secret)


def _basic(headers: Mapping[str, str]) -> Credentials | None:
    try:
        found = basic_credentials(headers.get("Authorization", ""))
    except ValueError:
        raise Refusal("client.not_authenticated", _REFUSED) from None
    return Credentials(found[0], "secret", found[1]) if found else None


def _post(form: Mapping[str, str]) -> Credentials | None:
    if "client_secret" not in form:
        return None
    return Credentials(form.get("client_id", ""), "secret", form["client_secret"])


def _assertion(form: Mapping[str, str]) -> Credentials | None:
    if "client_assertion" not in form and "client_assertion_type" not in form:
        return None
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refusal("client.not_authenticated", _REFUSED)
    client_id = unverified_claims(assertion).get("sub")
    if not isinstance(client_id, str):
        raise Refusal("client.not_authenticated", _REFUSED)
    return Credentials(client_id, "private_key_jwt", assertion)


def unverified_claims(token: str) -> dict[str, Any]:
    """Return what a JWT's payload says, believed by nobody yet; empty where it is none."""
    return _segment(token, 1)


def unverified_header(token: str) -> dict[str, Any]:
    """Return what a JWT's header says, believed by nobody yet; empty where it is none."""
    return _segment(token, 0)


def _segment(token: str, index: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        padded = parts[index] + "=" * (-len(parts[index]) % 4)
        return json_object(base64.urlsafe_b64decode(padded))
    except ValueError:
        return {}


def _read_assertion(
    signed: Signed, client: Agent, issuer: str, now: int, bounds: Bounds
) -> Assertion:
    claims = signed.claims
    # Whoever signed it is the client: so that it may be told what is wrong with it.
    for is_good, text in (
        (signed.header.get("typ") in ASSERTION_TYPS, "typ is JWT or left out"),
        (claims.get("iss") == claims.get("sub") == client.client_id, "iss and sub are the client"),
        (claims.get("aud") in (issuer, [issuer]), f"aud is {issuer} and nothing else"),
        (
            is_good_jti(claims.get("jti"), bounds),
            f"jti is a text of at most {bounds.jti_length} characters",
        ),
        (is_within_time(claims, now), f"exp is ahead, by {MAX_AGE} seconds at most"),
    ):
        if not is_good:
            raise Refusal("client.not_authenticated", f"In the client assertion, {text}.")
    return Assertion(str(claims["jti"]), int(claims["exp"]))
