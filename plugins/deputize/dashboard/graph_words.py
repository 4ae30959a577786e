"""The forest in words and places: what the graph's page is told of each node and link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from markupsafe import Markup

from ..agents.models import Agent
from ..catalogue.models import Catalogue
from ..core.values import Words
from ..delegation.wording import face_of
from ..web.graph_layout import HEIGHT, Place, curve, lay_out
from ..web.marks import agent_mark
from ..web.pages import NAME_LENGTH, NOTHING, GraphLink, GraphNode, State
from ..web.words import count_of, list_of, neutralise, until_tag
from .blast_radius import Radius
from .drawing import By, Drawn
from .graph import Wanted
from .graph_address import graph_url
from .names import Names

#: Characters that a box, and a link, have room for.
IN_A_BOX, ON_A_LINK = 16, 13

#: Different marks in one drawing; an agent beyond them is known by its name alone.
MARKS = 100

#: The thinnest link, and what the whole of the root's authority adds, in units of the drawing.
_THIN, _THICK = 1.5, 6.5


@dataclass(frozen=True)
class GraphWords:
    """What turns nodes into words.

    :param faces: agents by client id
    :param falls: what would end with the node that is looked at
    """

    now: int
    catalogue: Catalogue
    faces: Mapping[str, Agent]
    names: Names
    wanted: Wanted
    falls: Radius
    by: By
    _said: dict[object, str] = field(default_factory=dict)

    def nodes(self, drawn: Iterable[Drawn]) -> tuple[GraphNode, ...]:
        """Return a box for each node, and for each person before their first."""
        in_order = sorted(drawn, key=_by_age)
        first_of = {_person(node): node for node in reversed(in_order)}
        parents: dict[str, str | None] = dict.fromkeys(map(_person, in_order))
        parents |= {node.id: node.parent or _person(node) for node in in_order}
        by_id = {node.id: node for node in in_order}
        return tuple(
            self._agent(by_id[name], place)
            if name in by_id
            else self._person(first_of[name], place)
            for name, place in lay_out(parents).items()
        )

    def links(self, drawn: Iterable[Drawn], nodes: Iterable[GraphNode]) -> tuple[GraphLink, ...]:
        """Return the link to each agent from the one before it."""
        places = {node.id: Place(node.x, node.y) for node in nodes}
        return tuple(
            self._link(node, places[node.parent or _person(node)], places[node.id])
            for node in drawn
        )

    def marks(self, nodes: Iterable[GraphNode]) -> dict[str, Markup]:
        """Return each mark that is drawn, by its id."""
        return {node.mark: agent_mark(node.mark) for node in nodes if node.mark}

    @cached_property
    def _address(self) -> str:
        address = graph_url(self.wanted, node="")
        return f"{address}{'&' if '?' in address else '?'}node="

    @cached_property
    def _marked(self) -> Words:
        return frozenset(sorted(self.faces)[:MARKS])

    def _person(self, first: Drawn, place: Place) -> GraphNode:
        held = first.standing.node
        name = self.names.of(first.standing.subject)
        return GraphNode(
            id=_person(first),
            url=graph_url(self.wanted, person=held.person_id, node=""),
            label=self._short(name),
            full=self._safe(name, NAME_LENGTH),
            note="person",
            is_person=True,
            x=place.x,
            y=place.y,
            level=1,
        )

    def _agent(self, node: Drawn, place: Place) -> GraphNode:
        held = node.standing.node
        name = self.name_of(node.agent)
        is_table = self.wanted.as_table and node.is_seen
        return GraphNode(
            id=node.id,
            url=self._url(node),
            label=self._short(name),
            full=name,
            note=_note(node),
            state=node.state if node.is_seen else None,
            mark=node.agent if node.agent in self._marked else "",
            is_chosen=self.wanted.node in node.drawn_as_one,
            falls=not self.falls.nodes.isdisjoint(node.drawn_as_one),
            x=place.x,
            y=place.y,
            level=held.depth + 1,
            through=self._through(node),
            holds=self.said(held.scope) if is_table else "",
            dropped=self.said(node.dropped) if is_table else "",
            until=until_tag(self._last_second(node), self.now) if is_table else NOTHING,
        )

    def _last_second(self, node: Drawn) -> int:
        return min(node.standing.node.expires_at, node.standing.deadline)

    def _url(self, node: Drawn) -> str:
        if not node.is_seen:
            return ""
        if len(node.drawn_as_one) == 1:
            return f"{self._address}{node.id}"
        held = node.standing.node
        return graph_url(self.wanted, person=held.person_id, agent=held.actor, by=None, node="")

    def _through(self, node: Drawn) -> str:
        before = map(self.name_of, node.standing.node.chain[:-1])
        return " → ".join((self._safe(self.names.of(node.standing.subject), NAME_LENGTH), *before))

    def _link(self, node: Drawn, start: Place, end: Place) -> GraphLink:
        return GraphLink(
            path=curve(start, end),
            width=round(_THIN + _THICK * node.share, 1) if node.is_seen else _THIN,
            label=_dropped(node.dropped),
            x=end.x - 6,
            y=end.y + HEIGHT // 2 - 8,
            falls=not self.falls.nodes.isdisjoint(node.drawn_as_one),
            is_over=node.state is State.ENDED,
        )

    def name_of(self, client_id: str) -> str:
        """Return what an agent is called, made safe to show."""
        return self._safe(face_of(client_id, self.faces).name, NAME_LENGTH)

    def said(self, scope: Words) -> str:
        """Return what scopes let an agent do, as one line."""
        if scope not in self._said:
            self._said[scope] = list_of([self.catalogue.describe(name) for name in sorted(scope)])
        return self._said[scope]

    def _short(self, name: str) -> str:
        return self._safe(name, IN_A_BOX)

    def _safe(self, name: str, limit: int) -> str:
        # A name stands in many chains.
        if (name, limit) not in self._said:
            self._said[name, limit] = neutralise(name, limit)
        return self._said[name, limit]


def _by_age(node: Drawn) -> tuple[int, str]:
    # What is new comes last, so that nothing moves that somebody looks at.
    held = node.standing.node
    return held.created_at, held.path


def _person(node: Drawn) -> str:
    return f"p-{node.standing.node.person_id}"


def _note(node: Drawn) -> str:
    if not node.is_seen:
        return "named in the chain"
    count = len(node.drawn_as_one)
    if count > 1:
        return f"{node.state.value} × {count}"
    below = f", {count_of(node.below, 'agent')} below" if node.below else ""
    return f"{node.state.value}{below}"


def _dropped(scope: Words) -> str:
    if not scope:
        return ""
    first, *others = sorted(scope)
    more = f" +{len(others)}" if others else ""
    return f"− {neutralise(first, ON_A_LINK - 2 - len(more))}{more}"
