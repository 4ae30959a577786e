"""Tokens that are good for one use: spent by the API that they are for, and by nobody else.

The API names each execution by a `use_id` that it made itself: the same one is answered
again for a minute (a lost reply, a retry), another finds the token inactive. Or it declares
that each question is a use.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, select, update

from ..agents.authenticate import Caller
from ..agents.models import Agent
from ..audit.record import Event, record
from ..catalogue.models import Catalogue, ResourceServer
from ..core.db import Transaction
from ..core.secrets import digest, new_secret
from ..core.values import Words, is_storable
from .claims import delegated_claims
from .context import Context, Reading
from .issue import Write, insertion
from .judged import may_be_told
from .liveness import Standing, find_standing, why_dead
from .models import single_use

SINGLE_USE_PREFIX = "duse_"  # tells whose token it is, before any look-up

#: Seconds in which the same execution may ask again.
REPEATABLE = 60

MAX_USE_ID = 128


def is_for_one_use(catalogue: Catalogue, scope: Words) -> bool:
    """Tell whether a token with `scope` may be used once only."""
    return any(catalogue.scopes[name].single_use for name in scope if name in catalogue.scopes)


def make_single_use(delegation_id: str, jti: str, now: int, expires_at: int) -> tuple[str, Write]:
    """Return an opaque token, and the write that stores its hash."""
    token = new_secret(SINGLE_USE_PREFIX)
    row = {
        "digest": digest(token),
        "delegation_id": delegation_id,
        "jti": jti,
        "issued_at": now,
        "expires_at": expires_at,
        "use_id": None,
        "used_at": None,
    }
    return token, insertion(single_use, row)


def replace_unused(tx: Transaction, delegation_id: str) -> str | None:
    """Return a new token in place of one whose reply was lost, unless that was used."""
    token = new_secret(SINGLE_USE_PREFIX)
    unused = (single_use.c.delegation_id == delegation_id) & single_use.c.used_at.is_(None)
    replaced = tx.execute(update(single_use).where(unused).values(digest=digest(token)))
    return token if replaced.rowcount == 1 else None


def introspect_single_use(
    context: Context, reading: Reading, caller: Caller, token: str, use_id: str | None
) -> dict[str, Any] | None:
    """Return the claims of the token, having spent it where its API asks; None for inactive."""
    row = find_single_use(reading.tx, token)
    standing = find_standing(reading.tx, row["delegation_id"]) if row else None
    now = reading.moment.now
    if row is None or standing is None or why_dead(standing, now) or now >= row["expires_at"]:
        return None
    # Before it is spent: who may not be told has used nothing.
    if not may_be_told(context, reading, standing, standing.node.scope):
        return None
    if not _may_ask(context, caller, standing, row, use_id):
        return None
    node, issued_at, expires_at = standing.node, row["issued_at"], row["expires_at"]
    return delegated_claims(
        context.issuer, standing.subject, node, row["jti"], issued_at, expires_at
    )


def find_single_use(tx: Transaction, token: str) -> Any:
    """Return the row of a token, used or not."""
    return _find(tx, digest(token))


def find_uses(tx: Transaction, delegation_ids: Collection[str]) -> dict[str, int]:
    """Return when each of these was used, by id; what was not used, or is no such token, is not in
    it."""
    used = single_use.c.delegation_id.in_(delegation_ids) & single_use.c.used_at.is_not(None)
    rows = tx.execute(select(single_use.c.delegation_id, single_use.c.used_at).where(used))
    return {row.delegation_id: row.used_at for row in rows}


def _may_ask(
    context: Context, caller: Caller, standing: Standing, row: Any, use_id: str | None
) -> bool:
    if isinstance(caller.client, Agent):
        # "The agent's own questions spend nothing."
        return caller.client_id == standing.node.actor and row["used_at"] is None
    return caller.client.identifier == standing.node.target and _spend(
        context, caller.client, standing, row, use_id
    )


def _spend(
    context: Context, server: ResourceServer, standing: Standing, row: Any, use_id: str | None
) -> bool:
    named = use_id if server.use_id else None
    if server.use_id and not (named and len(named) <= MAX_USE_ID and is_storable(named)):
        return False
    with context.db.write() as tx:
        unused = (single_use.c.digest == row["digest"]) & single_use.c.used_at.is_(None)
        spent = update(single_use).where(unused).values(used_at=tx.now, use_id=named)
        if tx.execute(spent).rowcount == 1:
            record(tx, _used(standing, row))
            return True
        again = _find(tx, row["digest"])
        is_same = named is not None and again is not None and again["use_id"] == named
        return bool(is_same and tx.now <= again["used_at"] + REPEATABLE)


def _find(tx: Transaction, name: str) -> Any:
    return tx.execute(_BY_DIGEST, {"digest": name}).mappings().first()


def _used(standing: Standing, row: Any) -> Event:
    node = standing.node
    return Event(
        "token.used",
        person_id=node.person_id,
        agent=node.actor,
        task_id=node.task_id,
        delegation_id=node.id,
        chain=node.chain,
        facts={"jti": row["jti"], "aud": node.target},
    )


_BY_DIGEST = select(single_use).where(single_use.c.digest == bindparam("digest"))
