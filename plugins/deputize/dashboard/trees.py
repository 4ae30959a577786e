"""One person's delegations as trees by task: what the page "Agents acting for me" shows.

To a person a node is an agent that joined the chain. Where the same agent narrowed its
own hold there is a node too, but nothing new to see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup
from sqlalchemy import func, select

from ..agents.models import Agent, find_agents
from ..approvals.find_cards import count_open
from ..audit.models import event
from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..core.values import is_id
from ..delegation.context import Context
from ..delegation.liveness import find_standings, may_live
from ..delegation.models import delegation, delegation_from_row, person
from ..delegation.node import Delegation
from ..delegation.wording import face_of, holdings_of
from ..host import Person
from ..tasks.lifecycle import TaskStatus
from ..tasks.models import Task, task
from ..web.pages import ChainLink, DelegationNode, EndPage, State, TaskTree
from ..web.words import since_tag, until_tag

#: Why a delegation ended that its person stopped.
BY_PERSON = "ended_by_person"

#: Tasks that are looked at, and finished ones that are still shown.
TASKS_READ, FINISHED_SHOWN = 500, 20

Chain = tuple[ChainLink, ...]

#: How a task ended, in words.
_ENDED: Mapping[str, str] = {
    TaskStatus.COMPLETED: "done",
    TaskStatus.FAILED: "failed",
    TaskStatus.CANCELLED: "ended",
}
_SILENT = "ended, for its agent fell silent,"


@dataclass(frozen=True)
class Trees:
    """One person's trees at one moment."""

    context: Context
    tx: Transaction
    me: Person

    def all(self) -> tuple[tuple[TaskTree, ...], tuple[TaskTree, ...]]:
        """Return the live trees and the finished ones, each newest first."""
        tasks = self._tasks()
        live = [t for t in tasks if t.runs_at(self.tx.now)]
        finished = [t for t in tasks if not t.runs_at(self.tx.now)][:FINISHED_SHOWN]
        shown = [t.id for t in (*live, *finished)]
        standings = find_standings(self.tx, shown)
        names = frozenset(name for s in standings for name in s.node.chain)
        telling = _Telling(
            self.tx.now,
            self.context.moment(self.tx).catalogue,
            find_agents(self.tx, names | {t.agent for t in tasks}),
            self._last_seen(shown),
            frozenset(s.node.id for s in standings if may_live(s, self.tx.now)),
        )

        def told(of: Task) -> TaskTree:
            return _Tree(of, [s.node for s in standings if s.node.task_id == of.id], telling).told()

        return tuple(map(told, live)), tuple(map(told, finished))

    def find(self, delegation_id: str) -> Delegation | None:
        """Return the delegation, if it is this person's."""
        if not is_id(delegation_id):
            return None
        mine = (
            select(delegation)
            .join(person, person.c.id == delegation.c.person_id)
            .where(delegation.c.id == delegation_id, person.c.host_key == self.me.key)
        )
        row = self.tx.execute(mine).mappings().first()
        return delegation_from_row(row) if row else None

    def end_page(self, node: Delegation, cancel_url: str) -> EndPage:
        """Return the page that says what ends with `node`."""
        nodes = list(self._live_below(node))
        faces = find_agents(self.tx, frozenset(name for n in nodes for name in n.chain))
        others = dict.fromkeys(n.actor for n in nodes if n.actor != node.actor)
        return EndPage(
            person=self.me.name,
            agent=face_of(node.actor, faces),
            chain=tuple(ChainLink(face_of(name, faces).name) for name in node.chain),
            also=tuple(face_of(name, faces) for name in others),
            withdrawn=count_open(self.tx, self.me.key, below=node.path),
            action=url_for("deputize_agents.end", delegation_id=node.id),
            cancel_url=cancel_url,
        )

    def _live_below(self, node: Delegation) -> Iterator[Delegation]:
        for standing in find_standings(self.tx, [node.task_id]):
            is_below = standing.node.path.startswith(node.path)
            if is_below and may_live(standing, self.tx.now):
                yield standing.node

    def _tasks(self) -> list[Task]:
        mine = (
            select(task)
            .join(person, person.c.id == task.c.person_id)
            .where(person.c.host_key == self.me.key)
            .order_by(task.c.started_at.desc())
            .limit(TASKS_READ)
        )
        return [Task(**row) for row in self.tx.execute(mine).mappings()]

    def _last_seen(self, tasks: Sequence[str]) -> Mapping[str, int]:
        latest = (
            select(event.c.delegation_id, func.max(event.c.at).label("at"))
            .where(event.c.task_id.in_(tasks), event.c.kind == "delegation.issued")
            .group_by(event.c.delegation_id)
        )
        return {row.delegation_id: row.at for row in self.tx.execute(latest)}


@dataclass(frozen=True)
class _Telling:
    """What turns rows into words.

    :param faces: agents by client id
    :param seen: when each delegation last got a token
    :param alive: ids of the delegations that may live, by `liveness`
    """

    now: int
    catalogue: Catalogue
    faces: Mapping[str, Agent]
    seen: Mapping[str, int]
    alive: frozenset[str]

    def ago(self, at: int) -> Markup:
        return since_tag(at, self.now)

    def until(self, at: int) -> Markup:
        return until_tag(at, self.now)

    def task_ended(self, of: Task) -> Markup:
        if of.ended_why == BY_PERSON:
            return self.ended(of.ended_at, of.deadline, BY_PERSON)
        over_at = min(of.deadline, of.heard_by or of.deadline)
        is_silent = of.ended_why == "silent" or (of.ended_at is None and over_at < of.deadline)
        said = _SILENT if is_silent else _ENDED.get(of.status, "ran out of time")
        return Markup("{} {}").format(said, self.ago(of.ended_at or over_at))

    def ended(self, ended_at: int | None, expired_at: int, why: str | None) -> Markup:
        said = "stopped by you" if why == BY_PERSON else "ended"
        return Markup("{} {}").format(said, self.ago(ended_at or expired_at))


@dataclass(frozen=True)
class _Tree:
    """One task and its nodes."""

    task: Task
    nodes: Sequence[Delegation]
    telling: _Telling

    @property
    def is_open(self) -> bool:
        return self.task.runs_at(self.telling.now)

    @property
    def live_state(self) -> State:
        """The state of what may live."""
        return State.WAITING if self.task.status == TaskStatus.PROPOSED else State.ACTIVE

    def told(self) -> TaskTree:
        of, telling = self.task, self.telling
        ended = telling.task_ended(of)
        return TaskTree(
            agent=face_of(of.agent, telling.faces),
            state=self.live_state if self.is_open else State.ENDED,
            started=telling.ago(of.started_at),
            purpose=of.purpose,
            ending=telling.until(of.deadline) if self.is_open else ended,
            nodes=self._below(None, (), ()),
            task_url=url_for("deputize_my_task.shown", task_id=of.id) if self.is_open else "",
            asks_for_time=self.is_open and of.asked_until is not None,
            receipt_url=url_for("deputize_my_task.receipt", task_id=of.id) if of.ended_at else "",
        )

    def _below(
        self, parent: str | None, chain: tuple[str, ...], links: Chain
    ) -> tuple[DelegationNode, ...]:
        """Return the nodes below `parent`, one for each agent that joins the chain there."""
        joined: list[DelegationNode] = []
        for node in (n for n in self.nodes if n.parent_id == parent):
            if node.chain == chain:
                joined += self._below(node.id, chain, links)
            else:
                joined.append(self._node(node, links))
        return tuple(joined)

    def _node(self, node: Delegation, above: Chain) -> DelegationNode:
        telling, is_live = self.telling, node.id in self.telling.alive
        face = face_of(node.actor, telling.faces)
        links = (*above, ChainLink(face.name, ended=not is_live))
        ended = telling.ended(node.ended_at, self._last_second(node), node.ended_why)
        last = self._last_seen(node)
        return DelegationNode(
            agent=face,
            state=self.live_state if is_live else State.ENDED,
            chain=links,
            holds=holdings_of(node.scope, telling.catalogue),
            until=telling.until(self._last_second(node)) if is_live else ended,
            last_seen=telling.ago(last) if last else Markup(),
            stop_url=url_for("deputize_agents.confirm", delegation_id=node.id) if is_live else "",
            children=self._below(node.id, node.chain, links),
        )

    def _last_second(self, node: Delegation) -> int:
        return min(node.expires_at, self.task.deadline)

    def _last_seen(self, top: Delegation) -> int:
        same = [n.id for n in self.nodes if n.path.startswith(top.path) and n.chain == top.chain]
        return max((self.telling.seen.get(node_id, 0) for node_id in same), default=0)
