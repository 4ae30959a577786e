"""An authentication request as its agent signed it (CIBA Core §7.1.1), or as it stands where the
agent need not sign.

It is no client assertion, and no client assertion is one: it has no `sub`, which an assertion
must have. That one difference prevents "cross-JWT confusion" (RFC 9101 §10.8) whatever `typ`
says; a `typ` of another kind of JWT is refused as well.
"""

from typing import Any

from ..agents.authenticate import Caller
from ..agents.signed import (
    LEEWAY,
    MAX_AGE,
    Signed,
    find_signed,
    is_good_jti,
    is_number,
    is_within_time,
)
from ..core.refusal import Refusal
from ..core.used_once import use_once
from ..delegation.context import Context
from ..delegation.server import AgentRequest
from ..oauth.request_object import Parameters, signed_parameters

#: RFC 9101 §10.8 names the last; CIBA Core names none.
_TYPS = frozenset({None, "JWT", "oauth-authz-req+jwt"})


def read_parameters(
    context: Context, request: AgentRequest, caller: Caller
) -> tuple[Caller, Parameters]:
    """Return what is asked, and the caller, who has nothing left to use up where it signed.

    :raises Refusal: `signed.*`
    :raises InvalidRequestError: for a parameter that differs outside what was signed
    """
    token = request.form.get("request")
    if token is not None:
        return _as_signed(context, request, caller, token)
    if caller.agent.request_signing_alg is not None:
        raise Refusal("signed.required", "The client registered that it signs its requests.")
    return caller, request.values


def _as_signed(
    context: Context, request: AgentRequest, caller: Caller, token: str
) -> tuple[Caller, Parameters]:
    signed = _read(context, request, caller, token)
    # Both at once, and before anything of it is judged: a replay uses up the assertion that
    # came with it, and whatever is refused below is refused for good.
    with context.db.write() as tx:
        caller.spend(tx)
        name = f"{caller.client_id}\n{signed.claims['jti']}"
        is_new = use_once(tx, "request_object", name, int(signed.claims["exp"]) + LEEWAY)
    spent = Caller(caller.client)
    request.client = spent  # type: ignore[assignment]
    if not is_new:
        raise Refusal("signed.replayed", "The signed request was used before.")
    return spent, signed_parameters(signed.claims, request.values)


def _read(context: Context, request: AgentRequest, caller: Caller, token: str) -> Signed:
    """Return what the caller signed for us, a moment ago."""
    now, bounds = request.reading.moment.now, context.settings.bounds
    signed = find_signed(token, caller.agent, now, bounds, context.remote_keys)
    if signed is None:
        raise Refusal("signed.not_by_its_key", "The request is not signed by the client's key.")
    if caller.agent.request_signing_alg not in (None, signed.header.get("alg")):
        raise Refusal("signed.another_alg", "The request is signed by another alg than registered.")
    for is_good, text in _checks(context, signed, caller.client_id, now):
        if not is_good:
            raise Refusal("signed.malformed", f"In the signed request, {text}.")
    return signed


def _checks(
    context: Context, signed: Signed, client_id: str, now: int
) -> tuple[tuple[bool, str], ...]:
    claims, issuer = signed.claims, context.issuer
    issued_at: Any = claims.get("iat")
    is_issued = is_number(issued_at) and issued_at <= now + LEEWAY
    return (
        (signed.header.get("typ") in _TYPS, "typ is oauth-authz-req+jwt, JWT or left out"),
        ("sub" not in claims, "there is no sub"),
        (claims.get("iss") == client_id, "iss is the client"),
        (claims.get("aud") in (issuer, [issuer]), f"aud is {issuer} and nothing else"),
        (
            is_good_jti(claims.get("jti"), context.settings.bounds),
            "jti is a text of bounded length",
        ),
        (is_within_time(claims, now), f"exp is ahead, by {MAX_AGE} seconds at most"),
        # CIBA Core §7.1.1 requires both; RFC 7523 leaves them to the client.
        (is_issued and "nbf" in claims, "iat and nbf are there, and not ahead"),
    )
