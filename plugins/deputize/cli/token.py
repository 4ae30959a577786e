"""`token inspect`: what a token says, who acts for whom in it, and whether it is alive.

Whether it is alive is what introspection answers to the one whom it is for; here the
reason is told as well.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from rich.tree import Tree

from ..agents.authenticate import Caller
from ..agents.models import Agent, find_agents
from ..catalogue.models import ResourceServer
from ..core.db import Transaction
from ..delegation.context import Context, Reading
from ..delegation.introspect import introspect
from ..delegation.issue import REFRESH_TOKEN_PREFIX, SPAWN_TOKEN_PREFIX
from ..delegation.keys import ACCESS_TOKEN_TYP
from ..delegation.liveness import TEXTS, find_standing, why_dead
from ..delegation.refresh import find_refresh_token
from ..delegation.single_use import SINGLE_USE_PREFIX
from .shared import Failure, console, get_context, moment, on_the_app, print_members, safe

_TIMES = ("iat", "exp", "auth_time")


@dataclass(frozen=True)
class Inspected:
    """One token at one moment.

    :param claims: as signed; empty for an opaque one
    :param subject: the person's key; the agent itself where it acts for itself
    :param chain: the agents, the first deputized first
    :param reason: why it is not alive; empty where it is
    """

    claims: Mapping[str, Any]
    subject: str
    chain: tuple[str, ...]
    agents: Mapping[str, Agent]
    reason: str


@click.group("token")
def token() -> None:
    """Look into a token."""


@token.command("inspect")
@click.argument("token", default="-", metavar="[TOKEN]")
@on_the_app
def inspect_token(token: str) -> None:
    """Verify TOKEN (or standard input) and print its chain, its claims and its state.

    Exit 1 where it is none of ours; a token that is not alive any more is still told.
    """
    text = sys.stdin.read().strip() if token == "-" else token.strip()  # noqa: S105
    context = get_context()
    found = inspect(context, text)
    console().print(_tree(context, found))
    print_members((name, _told(name, value)) for name, value in found.claims.items())
    console().print(safe(f"not alive: {found.reason}" if found.reason else "alive"))


def inspect(context: Context, text: str) -> Inspected:
    """Return what there is to say about the token `text`.

    :raises Failure: where it is none of ours, or nothing can be said about it
    """
    if text.startswith(SPAWN_TOKEN_PREFIX):
        raise Failure("this is a spawn token: it says nothing by itself")
    if text.startswith(SINGLE_USE_PREFIX):
        raise Failure("this is a token for one use: only the API that it is for can ask about it")
    if len(text) > context.settings.bounds.token_bytes:
        raise Failure("this is no token of ours: it is too long")
    read = _refresh_token if text.startswith(REFRESH_TOKEN_PREFIX) else _access_token
    return context.settled(lambda reading: read(context, reading, text))


def _access_token(context: Context, reading: Reading, text: str) -> Inspected:
    claims = reading.moment.keys.verify(text, ACCESS_TOKEN_TYP)
    if claims is None:
        raise Failure("this is no access token that one of the server's keys has signed")
    chain = _chain(claims)
    agents = find_agents(reading.tx, frozenset({*chain, claims["client_id"]}))
    meant_for = reading.moment.catalogue.servers.get(claims["aud"])
    client = meant_for or agents.get(claims["client_id"])
    reason = (
        "" if _is_active(context, reading, client, text) else _reason(context, reading.tx, claims)
    )
    return Inspected(claims, claims["sub"], chain, agents, reason)


def _refresh_token(context: Context, reading: Reading, text: str) -> Inspected:
    row = find_refresh_token(reading.tx, text)
    standing = find_standing(reading.tx, row["delegation_id"]) if row else None
    if row is None or standing is None:
        raise Failure("this is no refresh token of ours")
    chain = standing.node.chain
    agents = find_agents(reading.tx, frozenset(chain))
    claims = {"delegation_id": standing.node.id, "iat": row["issued_at"]}
    dead = why_dead(standing, reading.tx.now)
    reason = TEXTS[dead] if dead else "It was used."
    is_active = _is_active(context, reading, agents.get(row["client_id"]), text)
    return Inspected(claims, standing.subject, chain, agents, "" if is_active else reason)


def _is_active(
    context: Context, reading: Reading, client: Agent | ResourceServer | None, text: str
) -> bool:
    if client is None:
        return False
    return bool(introspect(context, reading, Caller(client), text)["active"])


def _chain(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the actors of the nested `act` (RFC 8693 §4.1), the innermost first."""
    actors: list[str] = []
    act: Any = claims.get("act")
    while act:
        actors.append(act["sub"])
        act = act.get("act")
    return tuple(reversed(actors)) or (claims["client_id"],)


def _reason(context: Context, tx: Transaction, claims: Mapping[str, Any]) -> str:
    """Return why the token is not alive: the first that holds."""
    if tx.now >= claims["exp"]:
        return "The token has expired."
    if "delegation_id" not in claims:
        return "It was revoked, or its agent is not active." + _by_policy(context)
    standing = find_standing(tx, claims["delegation_id"])
    if rule := why_dead(standing, tx.now):
        ended = standing.node.ended_why if standing else None
        return TEXTS[rule] + (f" ({ended})" if ended else "")
    return "Its scope or its audience has been taken out of the delegation." + _by_policy(context)


def _by_policy(context: Context) -> str:
    return " Or a policy forbids it now." if context.judges else ""


def _tree(context: Context, found: Inspected) -> Tree:
    own = found.subject == found.chain[-1]
    someone = None if own else context.host.find_person(found.subject)
    top = someone.name if someone else found.subject
    tree = Tree(safe("for itself" if own else f"{top} ({found.subject})"))
    branch = tree
    for client_id in found.chain:
        branch = branch.add(safe(_actor(found, client_id)))
    named = found.claims.get("may_act", {}).get("sub")
    if named:
        branch.add(safe(f"handed over to {named}"))
    return tree


def _actor(found: Inspected, client_id: str) -> str:
    agent = found.agents.get(client_id)
    told = f"{client_id} ({agent.name}, {agent.status})" if agent else f"{client_id} (unknown)"
    return f"{told}, acts now" if client_id == found.chain[-1] else told


def _told(name: str, value: Any) -> object:
    if name in _TIMES:
        return f"{value} ({moment(value)})"
    return json.dumps(value) if isinstance(value, dict | list) else value
