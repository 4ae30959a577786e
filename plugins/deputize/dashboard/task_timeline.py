"""A task's timeline: start, hand-overs, questions and the end, on one axis and in a list.

For the person on whose behalf it is, who answers for the agent that they deputized, and
the security team. That somebody was asked is told; what was asked is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Response, url_for
from sqlalchemy import select

from ..agents.models import Agent, find_agent, find_agents
from ..core.db import Transaction
from ..core.values import is_id
from ..delegation.context import Context
from ..delegation.liveness import find_standings_where, may_live
from ..delegation.models import delegation, person
from ..delegation.wording import face_of
from ..host import Person
from ..tasks.lifecycle import RUNNING
from ..tasks.models import Task, task
from ..web.pages import (
    NAME_LENGTH,
    HappenedLine,
    Lane,
    Moment,
    State,
    Tick,
    TimelinePage,
)
from ..web.shell import render
from ..web.time_axis import TimeAxis
from ..web.words import day, neutralise, since_tag, until_tag, utc
from .drawing import Drawn, draw
from .graph import NODES
from .happenings import Happening, all_of_task, state_of, words_of
from .may_see import may_see_task
from .names import Names
from .visit import nothing_here, signed_in

TASK_PAGE = "/deputize/tasks"

#: Of one task: lanes that are drawn, and lines of the list.
LANES, LINES = 40, 500

#: The drawing: the lanes' names, the axis, and the height of a lane, in its own units.
_NAMES, _AXIS, _LANE, _TOP = 160, 580, 28, 30
_IN_A_LANE = 19
_DAY = 86_400

#: When, in which order at the same second, how, what, and by whom.
_Line = tuple[int, int, State, str, str | None]


def task_timeline(context: Context) -> Blueprint:
    """Return the pages on which a task is looked back on."""
    pages = Blueprint("deputize_task", __name__)

    @pages.get(f"{TASK_PAGE}/<task_id>")
    def task(task_id: str) -> Response:
        return signed_in(context, lambda me: _shown(context, me, task_id))

    return pages


@dataclass(frozen=True)
class _Told:
    """One task at one moment."""

    of: Task
    subject: str
    joined: list[Drawn]
    happened: list[Happening]
    faces: dict[str, Agent]
    issuer: str
    now: int

    @property
    def is_open(self) -> bool:
        return self.of.status in RUNNING and self.now < self.of.deadline

    @property
    def over(self) -> int:
        """When it was over; now, for one that is not."""
        return self.now if self.is_open else self.of.ended_at or self.of.deadline


def _shown(context: Context, me: Person, task_id: str) -> Response:
    with context.db.read() as tx:
        told = _find(context, tx, me, task_id) if is_id(task_id) else None
    if told is None:
        return nothing_here(me)
    return render("timeline.html", _page(context, me, told))


def _find(context: Context, tx: Transaction, me: Person, task_id: str) -> _Told | None:
    with_subject = select(task, person.c.host_key).join(person, person.c.id == task.c.person_id)
    row = tx.execute(with_subject.where(task.c.id == task_id)).mappings().first()
    if row is None:
        return None
    values = dict(row)
    subject = values.pop("host_key")
    of = Task(**values)
    if not may_see_task(me, subject, find_agent(tx, of.agent)):
        return None
    standings = find_standings_where(tx, delegation.c.task_id == task_id, NODES)
    alive = {one.node.id for one in standings if may_live(one, tx.now)}
    joined = draw(standings, alive=alive, waiting=(), is_seen=lambda _: True)
    happened = all_of_task(tx, task_id, LINES)
    named = {of.agent, *(node.agent for node in joined), *(one.agent or "" for one in happened)}
    return _Told(
        of, subject, joined, happened, find_agents(tx, frozenset(named)), context.issuer, tx.now
    )


def _page(context: Context, me: Person, told: _Told) -> TimelinePage:
    of, now = told.of, told.now
    in_order = sorted(told.joined, key=lambda node: node.standing.node.created_at)
    rows = {node.id: at for at, node in enumerate(in_order[:LANES])}
    axis = TimeAxis(of.started_at, max(told.over, of.started_at + 1), _NAMES, _AXIS)
    return TimelinePage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        agent=face_of(of.agent, told.faces),
        subject=Names(context.host).of(told.subject),
        state=State.ACTIVE if told.is_open else State.ENDED,
        purpose=of.purpose,
        started=since_tag(of.started_at, now),
        ending=until_tag(of.deadline, now) if told.is_open else since_tag(told.over, now),
        lanes=tuple(_lane(told, node, axis, at) for at, node in enumerate(in_order[:LANES])),
        more_lanes=max(0, len(in_order) - LANES),
        moments=tuple(_moments(told, axis, rows)),
        ticks=tuple(_ticks(axis, now)),
        width=_NAMES + _AXIS + 16,
        height=_TOP + _LANE * max(1, len(rows)) + 8,
        happened=tuple(_lines(told)),
        is_cut=len(told.happened) == LINES,
        graph_url=url_for("deputize_graph.graph", task=of.id, state="all"),
        inbox_url=url_for("deputize_approvals.approvals") if told.subject == me.key else "",
    )


def _lane(told: _Told, node: Drawn, axis: TimeAxis, at: int) -> Lane:
    held = node.standing.node
    last = held.ended_at or min(held.expires_at, told.over)
    return Lane(
        name=neutralise(face_of(node.agent, told.faces).name, _IN_A_LANE),
        state=node.state,
        y=_TOP + at * _LANE,
        start=axis.x(held.created_at),
        end=max(axis.x(last), axis.x(held.created_at) + 2),
    )


def _moments(told: _Told, axis: TimeAxis, rows: dict[str, int]) -> Iterable[Moment]:
    """Yield what happened at each agent that is drawn; the rest stands in the list alone."""
    first_of: dict[str, int] = {}
    for node in told.joined:
        if node.id in rows:
            first_of[node.agent] = min(first_of.get(node.agent, LANES), rows[node.id])
    for one in told.happened:
        row = rows.get(one.delegation_id or "", first_of.get(one.agent or ""))
        if row is not None:
            y = _TOP + row * _LANE
            yield Moment(axis.x(one.at), y, state_of(one), _said(told, one))


def _said(told: _Told, one: Happening) -> str:
    name = face_of(one.agent, told.faces).name if one.agent else ""
    return f"{neutralise(name, NAME_LENGTH)} {words_of(one, told.issuer)}".strip()


def _ticks(axis: TimeAxis, now: int) -> Iterable[Tick]:
    ticks, said = axis.ticks(), ""
    is_long = ticks[-1] - ticks[0] > 2 * _DAY
    for at in ticks:
        before, said = said, day(utc(at), utc(now)) if is_long else f"{utc(at):%H:%M}"
        anchor = {ticks[0]: "start", ticks[-1]: "end"}.get(at, "middle")
        if said != before:
            yield Tick(axis.x(at), said if is_long else f"{said} UTC", anchor)


def _lines(told: _Told) -> Iterable[HappenedLine]:
    """Yield all that happened in order: who came in by the rows, the rest by the trail."""
    lines: list[_Line] = [(told.of.started_at, 0, State.ACTIVE, "the task began", None)]
    for node in told.joined:
        held = node.standing.node
        lines.append((held.created_at, 1, State.ACTIVE, _came_in(told, node), node.agent))
    for one in told.happened:
        lines.append((one.at, 2, state_of(one), words_of(one, told.issuer), one.agent))
    for at, _, state, words, agent in sorted(lines, key=lambda line: line[:2]):
        who = face_of(agent, told.faces) if agent else None
        yield HappenedLine(state=state, words=words, when=since_tag(at, told.now), who=who)


def _came_in(told: _Told, node: Drawn) -> str:
    chain = node.standing.node.chain
    if len(chain) < 2:
        return "was let act"
    return f"was handed a part by {face_of(chain[-2], told.faces).name}"
