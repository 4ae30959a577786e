"""The delegation graph: who acts for whom, and what falls if I cut here.

A link looks at a node, and lights up what would end with it; a POST ends exactly that.
The drawing and the table are told the same.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for

from ..agents.models import Agent, find_agents
from ..catalogue.models import Catalogue
from ..core.secrets import digest
from ..core.values import is_id
from ..delegation.context import Context
from ..delegation.liveness import Standing
from ..delegation.wording import face_of, holdings_of
from ..endings.end_delegation import end_delegation
from ..host import Person
from ..web.graph_layout import HEIGHT, WIDTH, Place, size_of
from ..web.pages import ChainLink, Chosen, Filter, GraphPage, Onward, State
from ..web.shell import is_own_form, render_live, see_other
from ..web.words import count_of, host_of, since_tag, until_tag
from .blast_radius import Radius, radius_of_node
from .drawing import By
from .graph import ALL, ENDED, LIVE, Forest, Wanted, find_seen, read_forest
from .graph_address import graph_url, query_of, read_wanted
from .graph_words import GraphWords
from .may_see import may_see_agent, may_see_task, sees_all
from .names import Names
from .trees import BY_PERSON
from .visit import id_of, nothing_here, signed_in

GRAPH = "/deputize/graph"

#: Why a delegation ended that somebody else than its person cut here.
CUT = "cut_in_the_graph"

_STATES = {LIVE: "Live", ENDED: "Ended", ALL: "All"}
_WAYS = {None: "As it fits", By.EACH: "Each", By.AGENT: "By agent", By.TASK: "By task"}


def graph(context: Context) -> Blueprint:
    """Return the pages of the graph."""
    pages = Blueprint("deputize_graph", __name__)

    @pages.get(GRAPH)
    def graph() -> Response:
        return signed_in(context, lambda me: _shown(context, me, read_wanted(request.args)))

    @pages.post(f"{GRAPH}/<delegation_id>/end")
    def end(delegation_id: str) -> Response:
        return signed_in(context, lambda me: _end(context, me, delegation_id))

    return pages


def _end(context: Context, me: Person, delegation_id: str) -> Response:
    with context.db.read() as tx:
        seen = find_seen(tx, me, delegation_id) if is_id(delegation_id) else None
    if seen is None:
        return nothing_here(me)
    if is_own_form():
        why = BY_PERSON if seen.subject == me.key else CUT
        end_delegation(context.db, delegation_id, why=why, by=id_of(context.db, me))
    return see_other(graph_url(read_wanted(request.args), node=delegation_id))


def _shown(context: Context, me: Person, wanted: Wanted) -> Response:
    with context.db.read() as tx:
        forest = read_forest(tx, me, wanted)
        chains = [one.standing.node.chain for one in forest.drawn]
        chains += [forest.chosen.node.chain] if forest.chosen else []
        read = _Read(
            forest,
            find_agents(tx, frozenset(name for chain in chains for name in chain)),
            context.moment(tx).catalogue,
            radius_of_node(tx, forest.chosen.node) if forest.chosen else Radius(),
            tx.now,
        )
    return render_live("graph.html", _Shown(context, me, wanted, read).page())


@dataclass(frozen=True)
class _Read:
    """What one page is made of, read at one moment."""

    forest: Forest
    faces: dict[str, Agent]
    catalogue: Catalogue
    falls: Radius
    now: int


@dataclass(frozen=True)
class _Shown:
    """One page for one person."""

    context: Context
    me: Person
    wanted: Wanted
    read: _Read

    def page(self) -> GraphPage:
        wanted, read = self.wanted, self.read
        forest, names = read.forest, Names(self.context.host)
        words = GraphWords(
            read.now, read.catalogue, read.faces, names, wanted, read.falls, forest.by
        )
        nodes = words.nodes(forest.drawn)
        width, height = size_of({node.id: Place(node.x, node.y) for node in nodes})
        return GraphPage(
            person=self.me.name,
            whose=digest(self.me.key),
            agents_url=url_for("deputize_agents.agents"),
            register_url=url_for("deputize_register.agents") if self._looks_after else "",
            states=tuple(
                Filter(graph_url(wanted, state=state), said, wanted.state == state)
                for state, said in _STATES.items()
            ),
            ways=tuple(
                Filter(graph_url(wanted, by=by), said, wanted.by == by)
                for by, said in _WAYS.items()
            ),
            resources=self._resources(),
            limits=tuple(self._limits(names, words)),
            as_table=wanted.as_table,
            other_view=Filter(
                graph_url(wanted, as_table=not wanted.as_table),
                "As a drawing" if wanted.as_table else "As a table",
            ),
            told=_told(forest),
            nodes=nodes,
            links=() if wanted.as_table else words.links(forest.drawn, nodes),
            marks=tuple(words.marks(nodes).items()),
            width=width,
            height=height,
            box=(WIDTH, HEIGHT),
            chosen=self._chosen(forest.chosen, names) if forest.chosen else None,
        )

    @property
    def _looks_after(self) -> bool:
        return sees_all(self.me) or bool(self.read.forest.own)

    def _resources(self) -> tuple[Filter, ...]:
        """Return the APIs by which the graph can be limited."""
        wanted, known = self.wanted, sorted(self.read.catalogue.servers)
        anywhere = Filter(graph_url(wanted, resource=""), "Anywhere", not wanted.resource)
        return (
            anywhere,
            *(
                Filter(graph_url(wanted, resource=uri), host_of(uri), wanted.resource == uri)
                for uri in known
            ),
        )

    def _limits(self, names: Names, words: GraphWords) -> list[Filter]:
        """Return what the graph is limited to; each link takes one limit away."""
        wanted, drawn = self.wanted, self.read.forest.drawn
        said: dict[str, str] = {}
        if wanted.person:
            of = (d.standing for d in drawn if d.standing.node.person_id == wanted.person)
            subject = next(of, None)
            said["person"] = f"Only for {names.of(subject.subject) if subject else 'one person'}"
        if wanted.agent:
            said["agent"] = f"Only with {words.name_of(wanted.agent)}"
        if wanted.task:
            said["task"] = "Only one task"
        return [Filter(graph_url(wanted, **{name: ""}), words) for name, words in said.items()]

    def _chosen(self, chosen: Standing, names: Names) -> Chosen:
        node, faces, now = chosen.node, self.read.faces, self.read.now
        is_alive = self.read.forest.is_alive
        last = min(node.expires_at, chosen.deadline)
        end = url_for("deputize_graph.end", delegation_id=node.id)
        return Chosen(
            id=node.id,
            agent=face_of(node.actor, faces),
            state=State.ACTIVE if is_alive else State.ENDED,
            person=names.of(chosen.subject),
            chain=tuple(ChainLink(face_of(name, faces).name) for name in node.chain),
            holds=holdings_of(node.scope, self.read.catalogue),
            until=until_tag(last, now) if is_alive else since_tag(node.ended_at or last, now),
            sentence=self.read.falls.said() if is_alive else "",
            action=f"{end}{query_of(self.wanted)}" if is_alive else "",
            onward=tuple(self._onward(chosen, names)),
        )

    def _onward(self, chosen: Standing, names: Names) -> list[Onward]:
        node, faces = chosen.node, self.read.faces
        known, deputized = faces.get(node.actor), faces.get(node.chain[0])
        onward = [
            Onward(
                graph_url(self.wanted, person=node.person_id),
                f"Only for {names.of(chosen.subject)}",
            ),
            Onward(
                graph_url(self.wanted, agent=node.actor),
                f"Only with {face_of(node.actor, faces).name}",
            ),
            Onward(graph_url(self.wanted, task=node.task_id), "Only this task"),
        ]
        return onward + self._pages(known, deputized, chosen)

    def _pages(
        self, known: Agent | None, deputized: Agent | None, chosen: Standing
    ) -> list[Onward]:
        pages: list[Onward] = []
        if known and may_see_agent(self.me, known):
            url = url_for("deputize_register.agent", client_id=known.client_id)
            pages.append(Onward(url, "The agent's page"))
        if may_see_task(self.me, chosen.subject, deputized):
            url = url_for("deputize_task.task", task_id=chosen.node.task_id)
            pages.append(Onward(url, "The task's timeline"))
        return pages


def _told(forest: Forest) -> str:
    drawn = count_of(len(forest.drawn), "node")
    ways = {By.AGENT: ", those of one agent as one", By.TASK: ", each task as one"}
    cut = " There is more than is drawn: limit it to see the rest." if forest.is_cut else ""
    return f"{drawn}{ways.get(forest.by, '')}.{cut}"
