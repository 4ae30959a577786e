"""What is drawn of delegations: one node for each agent that joins a chain. Pure.

Where an agent narrows its own hold, or hands over, there is a delegation too, but nothing
new to see. Where there would be too many nodes, those of one agent below the same parent
are drawn as one; and where there still are, each task is.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..core.values import Words
from ..delegation.liveness import Standing
from ..web.pages import State

#: Nodes of one drawing, people included.
MOST = 1000


class By(StrEnum):
    """How much is drawn as one."""

    EACH = "each"
    AGENT = "agent"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One agent in one chain.

    :param id: of the delegation by which it joined
    :param parent: of the node above it; None where the person let it act
    :param dropped: scopes that the one above holds and this one does not
    :param share: of the root's scopes that it holds, from 0 to 1
    :param is_seen: False for an agent that is only named, because the chain leads through it
    :param drawn_as_one: ids of the delegations that stand behind it
    :param below: agents that hang on it and are not drawn
    """

    id: str
    parent: str | None
    standing: Standing
    state: State
    dropped: Words
    share: float
    is_seen: bool = True
    drawn_as_one: tuple[str, ...] = ()
    below: int = 0

    @property
    def agent(self) -> str:
        return self.standing.node.actor


def draw(
    standings: Sequence[Standing],
    *,
    alive: Collection[str],
    waiting: Collection[str],
    is_seen: Callable[[Standing], bool],
) -> list[Drawn]:
    """Return a node for each agent that joins a chain, each after the one above it.

    :param standings: each delegation after its parent
    :param alive: ids of those that live
    :param waiting: ids of those by which somebody is asked
    """
    joined: dict[str, str] = {}
    drawn: dict[str, Drawn] = {}
    for standing in standings:
        node = standing.node
        above = drawn.get(joined.get(node.parent_id or "", ""))
        if above and above.standing.node.chain == node.chain:
            joined[node.id] = above.id
            if node.id in waiting and above.state is State.ACTIVE:
                drawn[above.id] = replace(above, state=State.WAITING)
            continue
        joined[node.id] = node.id
        state = State.ENDED if node.id not in alive else State.ACTIVE
        asks = node.id in waiting and state is State.ACTIVE
        drawn[node.id] = _join(
            standing, above, drawn, State.WAITING if asks else state, is_seen(standing)
        )
    return list(drawn.values())


def _join(
    standing: Standing, above: Drawn | None, drawn: dict[str, Drawn], state: State, is_seen: bool
) -> Drawn:
    node = standing.node
    # What somebody may not see is not told by what was dropped from it either.
    held = above.standing.node.scope if above and above.is_seen else node.scope
    root = drawn.get(node.root_id)
    most = root.standing.node.scope if root and root.is_seen else node.scope
    return Drawn(
        id=node.id,
        parent=above.id if above else None,
        standing=standing,
        state=state,
        dropped=held - node.scope,
        share=len(node.scope & most) / len(most) if most else 0.0,
        is_seen=is_seen,
        drawn_as_one=(node.id,),
    )


def with_those_above(drawn: Sequence[Drawn], kept: Callable[[Drawn], bool]) -> list[Drawn]:
    """Return the nodes that are kept, and those through which they hang together."""
    wanted: set[str | None] = set()
    for node in reversed(drawn):
        if node.id in wanted or (node.is_seen and kept(node)):
            wanted |= {node.id, node.parent}
    return [node for node in drawn if node.id in wanted]


def collapse(drawn: Sequence[Drawn], by: By | None, most: int = MOST) -> tuple[By, list[Drawn]]:
    """Return how much is drawn as one, and the nodes: as many as there are, if that can be.

    :param by: what was asked for; None for as little as must be
    """
    ways: dict[By, Callable[[Sequence[Drawn]], list[Drawn]]] = {
        By.EACH: list,
        By.AGENT: _by_agent,
        By.TASK: _by_task,
    }
    chosen, nodes = By.EACH, list(drawn)
    for chosen, way in ways.items():
        nodes = way(drawn)
        if (by is None or by is chosen) and len(nodes) + _people(nodes) <= most:
            break
    return chosen, _fitting(nodes, most)


def _people(nodes: Iterable[Drawn]) -> int:
    return len({node.standing.node.person_id for node in nodes})


def _fitting(nodes: Sequence[Drawn], most: int) -> list[Drawn]:
    """Return as many as there is room for, with a person before their first."""
    people: set[str] = set()
    fitting: list[Drawn] = []
    for node in nodes:
        people.add(node.standing.node.person_id)
        if len(fitting) + 1 + len(people) > most:
            break
        fitting.append(node)
    return fitting


def stood_for(drawn: Iterable[Drawn]) -> int:
    """Return for how many nodes these stand."""
    return sum(len(node.drawn_as_one) + node.below for node in drawn)


def _by_agent(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Draw those of one agent below the same parent as one."""
    merged: dict[tuple[str, str], Drawn] = {}
    stands_for: dict[str, str] = {}
    for node in drawn:
        above = stands_for.get(node.parent or "")
        key = (above or node.standing.node.person_id, node.agent)
        first = merged.get(key)
        merged[key] = _merge(first, node) if first else replace(node, parent=above)
        stands_for[node.id] = merged[key].id
    return list(merged.values())


def _merge(one: Drawn, other: Drawn) -> Drawn:
    return replace(
        one,
        state=min(one.state, other.state, key=_LIVELIEST.index),
        dropped=one.dropped & other.dropped,
        share=max(one.share, other.share),
        is_seen=one.is_seen and other.is_seen,
        drawn_as_one=one.drawn_as_one + other.drawn_as_one,
    )


def _by_task(drawn: Iterable[Drawn]) -> list[Drawn]:
    """Draw each task as its first agent."""
    roots: dict[str, Drawn] = {}
    for node in drawn:
        task_id = node.standing.node.task_id
        first = roots.get(task_id)
        roots[task_id] = replace(first, below=first.below + 1) if first else node
    return list(roots.values())


_LIVELIEST = (State.WAITING, State.ACTIVE, State.ENDED, State.REFUSED)
