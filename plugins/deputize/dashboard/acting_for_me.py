"""Agents acting for me: who acts for me now, and stop it.

My delegations as trees by task, newest first. Each live node has a stop, which first
says what ends with it, and then is a POST.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup
from sqlalchemy import func, select

from ..agents.models import Agent, find_agents
from ..audit.models import event
from ..core.db import Transaction
from ..core.values import is_id
from ..delegation.context import Context
from ..delegation.models import delegation, delegation_from_row, person, subtree
from ..delegation.node import Delegation
from ..endings.end_delegation import end_delegation
from ..host import Person
from ..tasks.models import Task, TaskStatus, task
from ..web.pages import (
    AgentFace,
    AgentsPage,
    ChainLink,
    DelegationNode,
    EndPage,
    Holding,
    MessagePage,
    Onward,
    State,
    TaskTree,
)
from ..web.shell import is_own_form, render, see_other
from ..web.words import host_of, since, time_tag, until

AGENTS_PAGE = "/deputize/agents"

BY_PERSON = "ended_by_person"

#: Finished tasks that the page still shows.
FINISHED_SHOWN = 20


def acting_for_me(context: Context) -> Blueprint:
    """Return the pages on which people see and stop their agents."""
    pages = Blueprint("deputize_agents", __name__)

    @pages.get(AGENTS_PAGE)
    def agents() -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        with context.db.read() as tx:
            view = _View(context, tx, me)
            live, finished = view.trees()
        page = AgentsPage(
            person=me.name,
            agents_url=url_for("deputize_agents.agents"),
            live=live,
            finished=finished,
        )
        return render("agents.html", page)

    @pages.get(f"{AGENTS_PAGE}/<delegation_id>/end")
    def confirm(delegation_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        with context.db.read() as tx:
            view = _View(context, tx, me)
            node = view.find(delegation_id)
            if node is None or not view.is_live(node):
                return _gone(me)
            return render("end.html", view.end_page(node))

    @pages.post(f"{AGENTS_PAGE}/<delegation_id>/end")
    def end(delegation_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        if not is_own_form():
            return see_other(url_for(".confirm", delegation_id=delegation_id))
        with context.db.read() as tx:
            node = _View(context, tx, me).find(delegation_id)
        if node is None:
            return _gone(me)
        end_delegation(context.db, node.id, why=BY_PERSON, by=node.person_id)
        return see_other(url_for(".agents"))

    return pages


def _sign_in(context: Context) -> Response:
    return see_other(context.host.sign_in_url(request.root_path + request.path))


def _gone(me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        title="There is nothing to stop here",
        state=State.ENDED,
        sentences=("It has ended already, or it was never yours.",),
        onward=(Onward(url_for("deputize_agents.agents"), "Agents acting for me"),),
    )
    return render("message.html", page, status=404)


@dataclass(frozen=True)
class _View:
    """One person's trees at one moment."""

    context: Context
    tx: Transaction
    me: Person

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.tx.now, UTC)

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

    def trees(self) -> tuple[tuple[TaskTree, ...], tuple[TaskTree, ...]]:
        """Return the live trees and the finished ones, each newest first."""
        tasks = self._tasks()
        live = [t for t in tasks if self._is_live(t)]
        finished = [t for t in tasks if not self._is_live(t)][:FINISHED_SHOWN]
        shown = self._nodes_of([t.id for t in (*live, *finished)])
        faces = find_agents(
            self.tx, frozenset(name for nodes in shown.values() for n in nodes for name in n.chain)
        )
        seen = self._last_seen(list(shown))

        def tree(t: Task) -> TaskTree:
            return self._tree(t, shown.get(t.id, []), faces, seen)

        return tuple(map(tree, live)), tuple(map(tree, finished))

    def end_page(self, node: Delegation) -> EndPage:
        """Return the page that says what ends with `node`."""
        low, high = subtree(node.path)
        below = select(delegation).where(
            delegation.c.path >= low, delegation.c.path < high, delegation.c.ended_at.is_(None)
        )
        nodes = [delegation_from_row(row) for row in self.tx.execute(below).mappings()]
        faces = find_agents(self.tx, frozenset(name for n in nodes for name in n.chain))
        others = dict.fromkeys(n.actor for n in nodes if n.actor != node.actor)
        return EndPage(
            person=self.me.name,
            agents_url=url_for("deputize_agents.agents"),
            agent=_face(node.actor, faces),
            chain=tuple(ChainLink(_face(name, faces).name) for name in node.chain),
            also=tuple(_face(name, faces) for name in others),
            action=url_for("deputize_agents.end", delegation_id=node.id),
            cancel_url=url_for("deputize_agents.agents"),
        )

    def _tasks(self) -> list[Task]:
        mine = (
            select(task)
            .join(person, person.c.id == task.c.person_id)
            .where(person.c.host_key == self.me.key)
            .order_by(task.c.started_at.desc())
            .limit(500)
        )
        return [Task(**row) for row in self.tx.execute(mine).mappings()]

    def _is_live(self, of: Task) -> bool:
        return of.status == TaskStatus.OPEN and self.tx.now < of.deadline

    def _nodes_of(self, tasks: Sequence[str]) -> dict[str, list[Delegation]]:
        found: dict[str, list[Delegation]] = {task_id: [] for task_id in tasks}
        of_tasks = select(delegation).where(delegation.c.task_id.in_(tasks))
        for row in self.tx.execute(of_tasks.order_by(delegation.c.created_at)).mappings():
            found[row["task_id"]].append(delegation_from_row(row))
        return found

    def _last_seen(self, tasks: Sequence[str]) -> Mapping[str, int]:
        latest = (
            select(event.c.delegation_id, func.max(event.c.at).label("at"))
            .where(event.c.task_id.in_(tasks), event.c.kind == "delegation.issued")
            .group_by(event.c.delegation_id)
        )
        return {row.delegation_id: row.at for row in self.tx.execute(latest)}

    def _tree(
        self,
        of: Task,
        nodes: Sequence[Delegation],
        faces: Mapping[str, Agent],
        seen: Mapping[str, int],
    ) -> TaskTree:
        is_live = self._is_live(of)
        return TaskTree(
            agent=_face(of.agent, faces),
            state=State.ACTIVE if is_live else State.ENDED,
            started=self._ago(of.started_at),
            purpose=of.purpose,
            ending=self._until(of.deadline) if is_live else self._ended(of.ended_at, of.deadline),
            nodes=self._held(nodes, None, (), faces, seen),
        )

    def _held(
        self,
        nodes: Sequence[Delegation],
        parent: str | None,
        chain: tuple[str, ...],
        faces: Mapping[str, Agent],
        seen: Mapping[str, int],
    ) -> tuple[DelegationNode, ...]:
        """Return the nodes below `parent`, one for each agent that joins the chain there."""
        joined: list[DelegationNode] = []
        for node in (n for n in nodes if n.parent_id == parent):
            if node.chain == chain:
                # The same agent narrowing its own: to a person, nothing new below it.
                joined += self._held(nodes, node.id, chain, faces, seen)
            else:
                joined.append(self._node(nodes, node, faces, seen))
        return tuple(joined)

    def _node(
        self,
        nodes: Sequence[Delegation],
        node: Delegation,
        faces: Mapping[str, Agent],
        seen: Mapping[str, int],
    ) -> DelegationNode:
        is_live = node.ended_at is None and self.tx.now < node.expires_at
        last = max(
            (seen[n.id] for n in nodes if _is_same_hold(n, node) and n.id in seen), default=0
        )
        return DelegationNode(
            agent=_face(node.actor, faces),
            state=State.ACTIVE if is_live else State.ENDED,
            chain=tuple(ChainLink(_face(name, faces).name) for name in node.chain),
            holds=tuple(self._holding(name) for name in sorted(node.scope)),
            until=self._until(node.expires_at)
            if is_live
            else self._ended(node.ended_at, node.expires_at),
            last_seen=self._ago(last) if last else Markup(),
            stop_url=url_for("deputize_agents.confirm", delegation_id=node.id) if is_live else "",
            children=self._held(nodes, node.id, node.chain, faces, seen),
        )

    def _holding(self, name: str) -> Holding:
        catalogue = self.context.moment(self.tx).catalogue
        known = catalogue.scopes.get(name)
        return Holding(catalogue.describe(name), host_of(known.resource) if known else "")

    def _ago(self, at: int) -> Markup:
        moment = datetime.fromtimestamp(at, UTC)
        return time_tag(since(moment, self.now), moment, self.now)

    def _until(self, at: int) -> Markup:
        moment = datetime.fromtimestamp(at, UTC)
        return time_tag(until(moment, self.now), moment, self.now)

    def _ended(self, ended_at: int | None, expired_at: int) -> Markup:
        moment = datetime.fromtimestamp(ended_at or expired_at, UTC)
        said = time_tag(since(moment, self.now), moment, self.now)
        return Markup("ended {}").format(said)


def _is_same_hold(node: Delegation, top: Delegation) -> bool:
    return node.path.startswith(top.path) and node.chain == top.chain


def _face(client_id: str, faces: Mapping[str, Agent]) -> AgentFace:
    known = faces.get(client_id)
    return AgentFace(client_id, known.name if known else client_id)
