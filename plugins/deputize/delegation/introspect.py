"""Introspection (RFC 7662): who acts for whom, and that it is still allowed.

A resource server learns only about tokens for itself, an agent only about its own and
those handed over to it; all else is exactly `{"active": false}`. One read tells; nothing
is written but the caller's assertion.
"""

from collections.abc import Mapping
from typing import Any

from ..agents.authenticate import Caller
from ..agents.models import Agent, find_agent
from ..core.values import line, words
from .context import Context, Reading
from .details import read_details
from .gates import Act, Action
from .issue import REFRESH_TOKEN_PREFIX
from .judged import is_let_pass, may_be_told
from .keys import ACCESS_TOKEN_TYP
from .liveness import find_standing, is_own_token_live, why_dead
from .node import Delegation
from .refresh import find_refresh_token
from .single_use import SINGLE_USE_PREFIX, introspect_single_use

INACTIVE: dict[str, Any] = {"active": False}


def introspect(
    context: Context, reading: Reading, caller: Caller, token: str, use_id: str | None = None
) -> dict[str, Any]:
    """Return the introspection answer about `token` for `caller`. :rfc:`7662#section-2.2`.

    :param use_id: names one execution, for a token that is good for one use
    """
    if token.startswith(SINGLE_USE_PREFIX):
        claims = introspect_single_use(context, reading, caller, token, use_id)
        return INACTIVE if claims is None else _active(claims, str(claims["scope"]))
    if token.startswith(REFRESH_TOKEN_PREFIX):
        return _refresh_token(context, reading, caller, token)
    return _access_token(context, reading, caller, token)


def _access_token(context: Context, reading: Reading, caller: Caller, token: str) -> dict[str, Any]:
    moment = reading.moment
    claims = moment.keys.verify(token, ACCESS_TOKEN_TYP)
    if claims is None or moment.now >= claims["exp"] or not _may_ask(caller, claims):
        return INACTIVE
    if "delegation_id" not in claims:
        return _own(context, reading, claims)
    return _delegated(context, reading, claims)


def _may_ask(caller: Caller, claims: Mapping[str, Any]) -> bool:
    if isinstance(caller.client, Agent):
        named = claims.get("may_act", {})
        is_named = (named.get("iss"), named.get("sub")) == (claims["iss"], caller.client_id)
        return is_named or claims["client_id"] == caller.client_id
    return bool(claims["aud"] == caller.client.identifier)


def _delegated(context: Context, reading: Reading, claims: Mapping[str, Any]) -> dict[str, Any]:
    tx, moment = reading.tx, reading.moment
    standing = find_standing(tx, claims["delegation_id"])
    if standing is None or why_dead(standing, moment.now):
        return INACTIVE
    # Token ∩ delegation: an edit that shrank the delegation shrinks the answer at once.
    scope = words(claims["scope"]) & standing.node.scope
    is_for_server = claims["aud"] in moment.catalogue.servers
    if not scope or (is_for_server and claims["aud"] not in standing.node.resources):
        return INACTIVE
    if not may_be_told(context, reading, standing, scope):
        return INACTIVE
    return _active(_with_details(claims, standing.node), line(scope))


def _with_details(claims: Mapping[str, Any], node: Delegation) -> Mapping[str, Any]:
    # As the delegation holds them now: an edit may have taken some out.
    told = {name: value for name, value in claims.items() if name != "authorization_details"}
    return told | ({"authorization_details": read_details(node.details)} if node.details else {})


def _own(context: Context, reading: Reading, claims: Mapping[str, Any]) -> dict[str, Any]:
    tx, moment = reading.tx, reading.moment
    agent = find_agent(tx, claims["client_id"])
    if agent is None or not is_own_token_live(tx, claims, moment.now):
        return INACTIVE
    scope = words(claims["scope"]) & agent.scope
    act = Act(Action.INTROSPECT, agent.client_id, claims["aud"], scope)
    if not is_let_pass(context, reading, act):
        return INACTIVE
    return _active(claims, line(scope))


def _active(claims: Mapping[str, Any], scope: str) -> dict[str, Any]:
    return {**claims, "active": True, "token_type": "Bearer", "scope": scope}


def _refresh_token(
    context: Context, reading: Reading, caller: Caller, token: str
) -> dict[str, Any]:
    tx = reading.tx
    row = find_refresh_token(tx, token)
    if row is None or row["client_id"] != caller.client_id or row["used_at"] is not None:
        return INACTIVE
    standing = find_standing(tx, row["delegation_id"])
    if standing is None or why_dead(standing, tx.now):
        return INACTIVE
    if not may_be_told(context, reading, standing, standing.node.scope):
        return INACTIVE
    return {
        "active": True,
        "client_id": row["client_id"],
        "sub": standing.subject,
        "scope": line(standing.node.scope),
        "iat": row["issued_at"],
        "exp": min(standing.node.expires_at, standing.deadline),
        "delegation_id": standing.node.id,
        "task_id": standing.node.task_id,
    }
