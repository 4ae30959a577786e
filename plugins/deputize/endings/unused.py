"""Agents that nobody uses any more: reported first, and suspended later, by the settings' rule.

When one was last used is in the trail: nothing is written for it at each token. It is looked for
from the newest on, so that one who is busy is found at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Exists, exists, select

from ..agents.lifecycle import Status
from ..agents.models import BLUEPRINT, agent
from ..audit.models import event
from ..audit.record import Event, record_all
from ..core.db import Database, Kind, Lock, Transaction
from ..settings import Agents
from .stop_agent import stop_agent

#: What shows that somebody has a use for an agent.
USES = ("delegation.issued", "agent.token_issued", "agent.spawn_issued", "agent.active")

UNUSED = "unused"
REPORTED = "agent.unused"

#: Agents that are dealt with at one time: the next sweep goes on.
AT_ONCE = 500


@dataclass(frozen=True)
class Unused:
    """What was done about those that nobody uses."""

    reported: Sequence[str] = ()
    suspended: Sequence[str] = ()


def act_on_unused(db: Database, rule: Agents) -> Unused:
    """Report what is unused for long, suspend what is unused for longer; each once.

    :param rule: `unused_reported` and `unused_suspended`, in seconds; 0 for never
    """
    suspended: list[str] = []
    if rule.unused_suspended:
        with db.read() as tx:
            idle = _idle(tx, tx.now - rule.unused_suspended)
        suspended = [one for one in idle if stop_agent(db, one, Status.SUSPENDED, why=UNUSED)]
    return Unused(_report(db, rule.unused_reported) if rule.unused_reported else (), suspended)


def _report(db: Database, seconds: int) -> list[str]:
    # Alone, so that two sweeps at one time do not both report.
    with db.write([Lock(Kind.CATALOGUE, UNUSED, exclusive=True)]) as tx:
        idle = _idle(tx, tx.now - seconds, ~_has(REPORTED, since=tx.now - seconds))
        record_all(tx, [Event(REPORTED, agent=one, facts={"since": seconds}) for one in idle])
    return idle


def _idle(tx: Transaction, since: int, *more: ColumnElement[bool]) -> list[str]:
    """Return the active agents that have shown no use after `since`.

    A task's own go with it. A blueprint acts never: what uses it are its instances.
    """
    unused = select(agent.c.client_id).where(
        agent.c.status == Status.ACTIVE,
        agent.c.created_at <= since,
        agent.c.parent.is_(None),
        agent.c.token_endpoint_auth_method != BLUEPRINT,
        ~_has(*USES, since=since),
        *more,
    )
    return list(tx.execute(unused.order_by(agent.c.client_id).limit(AT_ONCE)).scalars())


def _has(*kinds: str, since: int) -> Exists:
    of_it = (event.c.agent == agent.c.client_id) & (event.c.at > since) & event.c.kind.in_(kinds)
    return exists().where(of_it)
