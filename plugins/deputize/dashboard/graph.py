"""The delegations that somebody may see, as a forest: read in a few statements, and bounded.

The newest tasks are looked at, and each of them whole: what one page costs does not grow
with what there is beside it. Filters find the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select

from ..agents.models import agent
from ..core.db import Transaction
from ..core.values import Words
from ..delegation.liveness import Standing, find_standings_where, may_live
from ..delegation.models import delegation
from ..delegation.node import Delegation
from ..delegation.persons import find_person_id
from ..endings.end_delegation import find_delegation
from ..host import Person
from ..tasks.lifecycle import RUNNING, TaskStatus
from ..tasks.models import task
from ..web.pages import State
from .blast_radius import waiting_in
from .drawing import By, Drawn, collapse, draw, stood_for, with_those_above
from .may_see import may_see_delegation, sees_all

#: Tasks and delegations that are looked at; agents whose delegations are, of somebody's own.
TASKS, NODES, OWN = 500, 4000, 500

#: Seconds for which what has ended is still drawn among what lives: it is seen to end.
FADES = 300

LIVE, ENDED, ALL = "live", "ended", "all"


@dataclass(frozen=True)
class Wanted:
    """What is asked to be drawn; empty for no limit.

    :param person: our id of one
    :param node: the delegation that is looked at
    :param as_table: told in a table rather than drawn
    """

    person: str = ""
    agent: str = ""
    task: str = ""
    resource: str = ""
    state: str = LIVE
    by: By | None = None
    node: str = ""
    as_table: bool = False


@dataclass(frozen=True)
class Forest:
    """What is drawn.

    :param chosen: the delegation that is looked at, if it may be seen
    :param is_cut: whether there is more than was looked at
    """

    drawn: list[Drawn]
    by: By
    chosen: Standing | None
    is_alive: bool
    is_cut: bool
    own: Words


def read_forest(tx: Transaction, me: Person, wanted: Wanted) -> Forest:
    """Return what of `wanted` the person may see."""
    own = _own_agents(tx, me)
    looked_at = find_delegation(tx, wanted.node) if wanted.node else None
    tasks = _tasks(tx, me, own, wanted)
    is_cut = len(tasks) >= TASKS
    standings, is_cut_too = _standings(tx, tasks, wanted, looked_at)
    alive = frozenset(s.node.id for s in standings if may_live(s, tx.now))
    waiting = frozenset(waiting_in(tx, sorted({s.node.task_id for s in standings})))

    def is_seen(standing: Standing) -> bool:
        return may_see_delegation(me, standing.subject, standing.node.chain, own)

    drawn = draw(standings, alive=alive, waiting=waiting, is_seen=is_seen)
    kept = with_those_above(drawn, lambda node: _is_wanted(node, wanted, tx.now))
    by, shown = collapse(kept, wanted.by)
    chosen = next((s for s in standings if s.node.id == wanted.node and is_seen(s)), None)
    return Forest(
        drawn=shown,
        by=by,
        chosen=chosen,
        is_alive=chosen is not None and chosen.node.id in alive,
        is_cut=is_cut or is_cut_too or stood_for(shown) < stood_for(kept),
        own=own,
    )


def find_seen(tx: Transaction, me: Person, delegation_id: str) -> Standing | None:
    """Return the delegation with what its life hangs on, if the person may see it."""
    of_it = find_standings_where(tx, delegation.c.id == delegation_id, 1)
    own = _own_agents(tx, me)
    seen = (s for s in of_it if may_see_delegation(me, s.subject, s.node.chain, own))
    return next(seen, None)


def answers_for_any(tx: Transaction, me: Person) -> bool:
    """Tell whether the person is the owner or sponsor of any agent."""
    return tx.execute(_answered_for(me).limit(1)).first() is not None


def _own_agents(tx: Transaction, me: Person) -> Words:
    if sees_all(me):
        return frozenset()
    newest = _answered_for(me).order_by(agent.c.created_at.desc())
    return frozenset(tx.execute(newest.limit(OWN)).scalars())


def _answered_for(me: Person) -> Select[tuple[str]]:
    answers = or_(agent.c.owner == me.key, agent.c.sponsor == me.key)
    return select(agent.c.client_id).where(answers)


def _tasks(tx: Transaction, me: Person, own: Words, wanted: Wanted) -> list[str]:
    """Return the tasks to look at, by what narrows them most."""
    if wanted.task:
        return [wanted.task]
    if not sees_all(me):
        mine = _of_person(find_person_id(tx, me.key) or "")
        held = _of_agents(sorted(own & {wanted.agent} if wanted.agent in own else own), wanted)
        return list(dict.fromkeys([*tx.execute(mine).scalars(), *tx.execute(held).scalars()]))
    if wanted.person:
        return list(tx.execute(_of_person(wanted.person)).scalars())
    if wanted.agent:
        return list(tx.execute(_of_agents([wanted.agent], wanted)).scalars())
    return _newest(tx, wanted)


def _of_person(person_id: str) -> Select[tuple[str]]:
    theirs = select(task.c.id).where(task.c.person_id == person_id)
    return theirs.order_by(task.c.started_at.desc()).limit(TASKS)


def _of_agents(client_ids: Sequence[str], wanted: Wanted) -> Select[tuple[str]]:
    held = select(delegation.c.task_id).where(delegation.c.actor.in_(client_ids))
    live = held.where(delegation.c.ended_at.is_(None)) if wanted.state == LIVE else held
    return live.distinct().limit(TASKS)


def _newest(tx: Transaction, wanted: Wanted) -> list[str]:
    """Return the tasks with the latest deadlines: by the index of status and deadline."""
    found: list[tuple[int, str]] = []
    for status in RUNNING if wanted.state == LIVE else TaskStatus:
        of_status = select(task.c.deadline, task.c.id).where(task.c.status == status)
        latest = of_status.order_by(task.c.deadline.desc()).limit(TASKS)
        found += [(row.deadline, row.id) for row in tx.execute(latest)]
    return [task_id for _, task_id in sorted(found, reverse=True)[:TASKS]]


def _standings(
    tx: Transaction, tasks: Sequence[str], wanted: Wanted, looked_at: Delegation | None
) -> tuple[list[Standing], bool]:
    """Return the delegations of these tasks, and whether some tasks had to be left out."""
    its_task = looked_at.task_id if looked_at else ""
    which: ColumnElement[bool] = delegation.c.task_id.in_({*tasks, its_task})
    if wanted.state == LIVE:
        unended = delegation.c.ended_at.is_(None)
        fading = delegation.c.ended_at > tx.now - FADES
        which &= or_(unended, fading, delegation.c.task_id == its_task)
    found = find_standings_where(tx, which, NODES + 1)
    if len(found) <= NODES:
        return found, False
    last = found[-1].node.task_id
    whole = [standing for standing in found if standing.node.task_id != last]
    return whole or found[:NODES], True


def _is_wanted(node: Drawn, wanted: Wanted, now: int) -> bool:
    held = node.standing.node
    if held.id == wanted.node:
        return True
    return (
        wanted.person in ("", held.person_id)
        and wanted.task in ("", held.task_id)
        and (not wanted.agent or wanted.agent in held.chain)
        and (not wanted.resource or wanted.resource in held.resources)
        and _is_in_state(node, wanted.state, now)
    )


def _is_in_state(node: Drawn, state: str, now: int) -> bool:
    is_over = node.state is State.ENDED
    if state == LIVE:
        ended_at = node.standing.node.ended_at
        return not is_over or (ended_at is not None and ended_at > now - FADES)
    return state == ALL or is_over
