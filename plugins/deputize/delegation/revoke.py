"""Revocation (RFC 7009): by its own client, a token ends its node and all below it.

An expired token still does, so that a client can always end what it started; by anyone
else it does nothing, and every authenticated caller gets the same 200.
"""

from typing import Any

from ..agents.authenticate import Caller
from ..audit.record import Event, record
from ..core.used_once import use_once
from .context import Context
from .issue import REFRESH_TOKEN_PREFIX
from .keys import ACCESS_TOKEN_TYP
from .liveness import REVOKED, find_standing
from .refresh import find_refresh_token
from .single_use import SINGLE_USE_PREFIX, find_single_use


def revoke(context: Context, caller: Caller, token: str) -> None:
    """End what `token` stands for, if it is the caller's own."""
    if token.startswith(REFRESH_TOKEN_PREFIX):
        _revoke_refresh_token(context, caller, token)
    elif token.startswith(SINGLE_USE_PREFIX):
        _revoke_single_use(context, caller, token)
    else:
        _revoke_access_token(context, caller, token)


def _revoke_refresh_token(context: Context, caller: Caller, token: str) -> None:
    with context.db.read() as tx:
        row = find_refresh_token(tx, token)
    if row is not None and row["client_id"] == caller.client_id:
        context.ends.end_delegation(row["delegation_id"], why="revoked")


def _revoke_single_use(context: Context, caller: Caller, token: str) -> None:
    with context.db.read() as tx:
        row = find_single_use(tx, token)
        standing = find_standing(tx, row["delegation_id"]) if row else None
    if standing is not None and standing.node.actor == caller.client_id:
        context.ends.end_delegation(standing.node.id, why="revoked")


def _revoke_access_token(context: Context, caller: Caller, token: str) -> None:
    with context.db.read() as tx:
        moment = context.moment(tx)
    claims = moment.keys.verify(token, ACCESS_TOKEN_TYP)
    if claims is None or claims["client_id"] != caller.client_id:
        return
    # A public client proves nothing: an expired token found in a log must end nothing.
    if moment.now >= claims["exp"] and caller.agent.is_public:
        return
    if "delegation_id" in claims:
        context.ends.end_delegation(claims["delegation_id"], why="revoked")
        return
    with context.db.write() as tx:
        if use_once(tx, REVOKED, claims["jti"], claims["exp"]):
            record(tx, Event("agent.token_revoked", agent=caller.client_id, facts=_named(claims)))


def _named(claims: dict[str, Any]) -> dict[str, Any]:
    return {"jti": claims["jti"], "aud": claims["aud"]}
