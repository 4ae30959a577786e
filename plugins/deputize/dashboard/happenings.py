"""What happened to an agent or in a task, read from the trail and told in plain words.

The one place where these pages read events.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import ColumnElement, Select, literal, select

from ..audit.models import event
from ..core.db import Transaction
from ..web.pages import State
from ..web.words import count_of, host_of, list_of

#: What hands a token out: how it is known when an agent was last used.
ISSUED = ("delegation.issued", "agent.token_issued")

#: Too many of a task to tell each, and none of them news: who holds what is told by the rows.
_DAILY = ("delegation.issued", "agent.spawn_issued")


#: What ends all that an agent stands in.
_STOPPED = ("agent.suspended", "agent.retired")


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, as these pages need it."""

    at: int
    kind: str
    rule: str | None
    agent: str | None
    delegation_id: str | None
    facts: Mapping[str, Any]


def newest_of_agent(tx: Transaction, client_id: str, limit: int) -> list[Happening]:
    """Return what happened to the agent or was done by it, the newest first."""
    newest = event.c.at.desc(), event.c.id.desc()
    return _read(tx, event.c.agent == client_id, newest, limit)


def last_used(tx: Transaction, client_id: str) -> int | None:
    """Return when the agent last got a token; None where it never did."""
    return tx.execute(newest_token_of(literal(client_id))).scalar()


def newest_token_of(client_id: ColumnElement[str]) -> Select[Any]:
    """Return the question when the agent last got a token: a step by agent and time."""
    tokens = (event.c.agent == client_id) & event.c.kind.in_(ISSUED)
    return select(event.c.at).where(tokens).order_by(event.c.at.desc()).limit(1)


def got_token_since(client_id: ColumnElement[str], at: int) -> ColumnElement[bool]:
    """Return the condition that the agent has got a token since `at` (seconds)."""
    tokens = (event.c.agent == client_id) & event.c.kind.in_(ISSUED) & (event.c.at >= at)
    return select(event.c.id).where(tokens).exists()


def all_of_task(tx: Transaction, task_id: str, limit: int) -> list[Happening]:
    """Return what happened in the task but for each token, the oldest first."""
    told = (event.c.task_id == task_id) & event.c.kind.not_in(_DAILY)
    return _read(tx, told, (event.c.at, event.c.id), limit)


def words_of(happened: Happening, issuer: str) -> str:
    """Say what happened; never what somebody was asked or granted in a question.

    :param issuer: a token for it is what an agent holds on by, and goes nowhere
    """
    if happened.rule:
        return f"was refused ({happened.rule})"
    told = _WORDS.get(happened.kind)
    where = happened.facts.get("aud")
    if happened.kind in ISSUED and _is_api(where, issuer):
        return f"got a token for {host_of(where)}"
    if happened.kind == "delegation.ended":
        return f"{told}, with {count_of(_number(happened.facts), 'delegation')}"
    if happened.kind in _STOPPED:
        return f"{told}{_with_it(happened.facts)}"
    return told or happened.kind.replace(".", ": ").replace("_", " ")


def state_of(happened: Happening) -> State:
    """Return the shape beside it."""
    if happened.rule or happened.kind in _NOES:
        return State.REFUSED
    last = happened.kind.rpartition(".")[2]
    if last in ("ended", "retired", "expired", "withdrawn", "token_revoked", "archived"):
        return State.ENDED
    waits = last in ("opened", "pending", "proposed", "extension_asked")
    return State.WAITING if waits else State.ACTIVE


def _is_api(where: object, issuer: str) -> TypeGuard[str]:
    return isinstance(where, str) and "//" in where and where != issuer


def _number(facts: Mapping[str, Any]) -> int:
    nodes = facts.get("nodes")
    return nodes if isinstance(nodes, int) else 1


def _with_it(facts: Mapping[str, Any]) -> str:
    """Say what ended with an agent that was stopped: what did, not what was to."""
    counted = {"nodes": "delegation", "tasks": "task", "agents": "helper"}
    told = [count_of(facts[name], what) for name, what in counted.items() if facts.get(name)]
    return f", with {list_of(told)}" if told else ""


def _read(
    tx: Transaction, which: ColumnElement[bool], order: Sequence[Any], limit: int
) -> list[Happening]:
    columns = (event.c.at, event.c.kind, event.c.rule, event.c.agent, event.c.delegation_id)
    asked = select(*columns, event.c.body).where(which).order_by(*order).limit(limit)
    return [
        Happening(row.at, row.kind, row.rule, row.agent, row.delegation_id, _facts(row.body))
        for row in tx.execute(asked)
    ]


def _facts(body: Any) -> dict[str, Any]:
    # Who wrote to the database hides nothing by garbage: the rest of the page is shown.
    try:
        facts = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


_NOES = ("approval.denied", "agent.suspended", "task.extension_denied")

_WORDS: Mapping[str, str] = {
    "consent.granted": "was let act by a person",
    "delegation.issued": "got a token",
    "delegation.ended": "was stopped",
    "delegation.archived": "what ended was put away",
    "task.ended": "the task ended",
    "task.proposed": "said that the task is over",
    "task.reopened": "the person let the task go on",
    "task.extended": "the person gave the task more time",
    "task.extension_asked": "asked for more time",
    "task.extension_denied": "the person gave the task no more time",
    "agent.declared": "was registered by an administrator",
    "agent.registered": "registered itself",
    "agent.adopted": "was adopted by a person",
    "agent.active": "was started",
    "agent.suspended": "was suspended",
    "agent.retired": "was retired",
    "agent.pending": "waits to be adopted anew",
    "agent.handed_on": "its owner left, and its sponsor answers for it",
    "agent.unused": "nobody used it for long",
    "agent.credential_rotated": "has another secret",
    "agent.edited": "its registration was edited",
    "agent.spawned": "was started as a helper",
    "agent.spawn_issued": "was allowed to start a helper",
    "agent.token_issued": "got a token for itself",
    "agent.token_revoked": "gave a token of its own back",
    "approval.opened": "asked the person",
    "approval.approved": "the person said yes",
    "approval.denied": "the person said no",
    "approval.voted": "somebody else said yes",
    "approval.repeated": "was let do the same again",
    "approval.redeemed": "used the yes",
    "approval.expired": "nobody answered in time",
    "approval.withdrawn": "the question was withdrawn",
}
