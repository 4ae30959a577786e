"""Spawning: an agent starts a throw-away sub-agent with a key of its own.

The parent exchanges its hold for a spawn token, bound to the child's key; whoever
presents it with that key registers the child. So a stolen bearer never plants an agent.
The child inherits owner and task, holds nothing until it is handed authority, and dies
with its parent's node.
"""

import json
from functools import partial
from secrets import token_hex
from typing import Any

from sqlalchemy import select, update

from ..agents.client_metadata import ClientMetadata
from ..agents.jwks import thumbprints
from ..agents.lifecycle import Status
from ..agents.models import SPAWNED, TOKEN_EXCHANGE, Agent, find_agent
from ..agents.register import store_agent
from ..audit.record import Event
from ..catalogue.models import SPAWN
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest
from ..core.values import is_thumbprint, words
from ..oauth.ciba import CIBA
from ..oauth.rfc8693 import TokenExchange
from .attenuation import Asked, narrow_scope
from .context import Context
from .issue import Decision, Mint, locks_of, mint_spawn_token
from .liveness import TEXTS, Standing, find_standing, is_unchanged, why_dead
from .models import spawn_token
from .node import Delegation
from .quotas import EXCHANGES, drawing
from .quotas import SPAWNED as SPAWNED_QUOTA
from .subject_token import SubjectToken

_BAD_TOKEN = "The spawn token is not good: it is used once, within a minute."  # noqa: S105


def mint_spawn(
    decision: Decision,
    agent: Agent,
    standing: Standing,
    subject: SubjectToken,
    request: TokenExchange,
    agent_jkt: str | None,
) -> Mint:
    """Return a spawn token for a child whose ceiling is the scope asked for.

    :raises Refusal: `spawn.*`, `scope.*`
    """
    node = standing.node
    if subject.audience != decision.context.issuer or node.actor != agent.client_id:
        raise Refusal("spawn.not_the_hold", "Spawning takes the agent's own token for the issuer.")
    held = subject.scope & node.scope & agent.scope
    if SPAWN not in held:
        raise Refusal("scope.no_spawn", "The token does not hold agents:spawn.")
    if not agent_jkt or not is_thumbprint(agent_jkt):
        raise Refusal("spawn.no_key", "agent_jkt is the SHA-256 thumbprint of the child's key.")
    # What a child may ever hold is a hand-over to an agent that is not born yet.
    ceiling = narrow_scope(Asked(request.scope, SPAWNED), held, decision.moment.rules)
    return mint_spawn_token(
        decision,
        node,
        scope=ceiling,
        agent_jkt=agent_jkt,
        started_at=standing.started_at,
        deadline=standing.deadline,
        is_still_so=partial(is_unchanged, standing),
        writes=(drawing(EXCHANGES, standing, decision.context.settings),),
    )


def register_spawned(context: Context, token: str, metadata: ClientMetadata) -> Agent:
    """Register the child that `token` was issued for, once; return it.

    :raises Refusal: `spawn.*`, or `liveness`'s rule when its parent's node has ended
    """
    with context.db.read() as tx:
        row = _find(tx, token)
        standing = _live(tx, row["delegation_id"])
    if not context.host.is_active(standing.subject):
        raise Refusal("person.inactive", TEXTS["person.inactive"])
    with context.db.write(locks_of(standing.node)) as tx:
        standing = _live(tx, row["delegation_id"])
        parent = _live_parent(tx, row["client_id"])
        child = make_child(parent, standing, metadata, row, tx.now)
        _use(tx, row)
        drawing(SPAWNED_QUOTA, standing, context.settings)(tx)
        store_agent(tx, child, _spawned(child, standing.node))
    return child


def make_child(
    parent: Agent, standing: Standing, metadata: ClientMetadata, token: Any, now: int
) -> Agent:
    """Return the child: within its parent, its parent's node and what the token names.

    :raises Refusal: `spawn.other_key`, `scope.beyond_subject`
    """
    if metadata.jwks is None or thumbprints(json.loads(metadata.jwks)) != [token["agent_jkt"]]:
        raise Refusal("spawn.other_key", "jwks holds the one key that the spawn token names.")
    ceiling = words(token["scope"])
    if not metadata.scope <= ceiling:
        raise Refusal("spawn.more_scope", "The scope is more than the spawn token allows.")
    node = standing.node
    scope = (metadata.scope or ceiling) & node.scope & parent.scope
    latest = min(parent.expires_at, node.expires_at, standing.deadline)
    suffix = token_hex(8)
    return Agent(
        client_id=f"{parent.client_id[:40]}.{suffix}",
        name=f"{parent.name[:150]} · helper {suffix[:4]}",
        purpose=metadata.purpose,
        model=metadata.model,
        vendor=metadata.vendor,
        software_version=metadata.software_version,
        origin="spawned",
        created_at=now,
        expires_at=min(latest, metadata.expires_at or latest),
        token_endpoint_auth_method="private_key_jwt",  # noqa: S106 - a method's name
        owner=parent.owner,
        sponsor=parent.sponsor,
        status=Status.ACTIVE,
        scope=scope,
        resources=node.resources & parent.resources,
        delegates_to=frozenset({SPAWNED}) if SPAWN in scope else frozenset(),
        max_delegation_depth=parent.max_delegation_depth,
        grant_types=frozenset({TOKEN_EXCHANGE, CIBA}),
        jwks=metadata.jwks,
        parent=parent.client_id,
        parent_delegation_id=node.id,
        task_id=node.task_id,
    )


def _find(tx: Transaction, token: str) -> Any:
    by_digest = select(spawn_token).where(spawn_token.c.digest == digest(token))
    row = tx.execute(by_digest).mappings().first()
    if row is None or row["used_at"] is not None or tx.now >= row["expires_at"]:
        raise Refusal("spawn.bad_token", _BAD_TOKEN)
    return row


def _live(tx: Transaction, delegation_id: str) -> Standing:
    standing = find_standing(tx, delegation_id)
    dead = why_dead(standing, tx.now)
    if standing is None or dead:
        raise Refusal(dead or "delegation.unknown", TEXTS[dead or "delegation.unknown"])
    return standing


def _live_parent(tx: Transaction, client_id: str) -> Agent:
    parent = find_agent(tx, client_id)
    if parent is None or not parent.is_live(tx.now):
        raise Refusal("spawn.bad_token", _BAD_TOKEN)
    return parent


def _use(tx: Transaction, row: Any) -> None:
    unused = (spawn_token.c.digest == row["digest"]) & spawn_token.c.used_at.is_(None)
    good = unused & (spawn_token.c.expires_at > tx.now)
    if tx.execute(update(spawn_token).where(good).values(used_at=tx.now)).rowcount != 1:
        raise Refusal("spawn.bad_token", _BAD_TOKEN)


def _spawned(child: Agent, node: Delegation) -> Event:
    return Event(
        "agent.spawned",
        person_id=node.person_id,
        agent=child.client_id,
        task_id=node.task_id,
        delegation_id=node.id,
        chain=node.chain,
        facts={"parent": child.parent, "scope": sorted(child.scope)},
    )
