"""Where each node of a forest is drawn: from left to right, each line of descent on a row. Pure.

A first child stands on its parent's row and every other one on a row of its own, so that
a parent stays in sight above what hangs on it, however much that is; nothing overlaps,
and what is drawn next in the order is always below or to the right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: Of a box, and from one box to the next, in units of the drawing.
WIDTH: Final = 188
HEIGHT: Final = 48
COLUMN: Final = 296
ROW: Final = 64
#: Around the whole, so that no outline is cut off.
MARGIN: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """The upper left corner of a node's box."""

    x: int
    y: int


def lay_out(parents: Mapping[str, str | None]) -> dict[str, Place]:
    """Return the place of each node, each before those that hang on it.

    :param parents: the parent of each node, None where it is a tree's first; siblings are drawn
        in the order in which they stand here
    """
    children: dict[str | None, list[str]] = {}
    for node, parent in parents.items():
        children.setdefault(parent, []).append(node)
    places: dict[str, Place] = {}
    row = -1
    waiting = [(node, 0, True) for node in reversed(children.get(None, []))]
    while waiting:
        node, column, is_below = waiting.pop()
        row += is_below
        places[node] = Place(MARGIN + column * COLUMN, MARGIN + row * ROW)
        below = children.get(node, [])
        waiting += [(other, column + 1, True) for other in reversed(below[1:])]
        waiting += [(first, column + 1, False) for first in below[:1]]
    return places


def size_of(places: Mapping[str, Place]) -> tuple[int, int]:
    """Return the width and height of what holds every box."""
    width = max((place.x for place in places.values()), default=0) + WIDTH + MARGIN
    height = max((place.y for place in places.values()), default=0) + HEIGHT + MARGIN
    return width, height


def curve(start: Place, end: Place) -> str:
    """Return the path of the link from one box to one on its right (SVG 2 §9.3)."""
    x, y = start.x + WIDTH, start.y + HEIGHT // 2
    to_y = end.y + HEIGHT // 2
    if y == to_y:
        return f"M{x} {y}H{end.x}"
    return f"M{x} {y}C{x + 24} {y} {x + 6} {to_y} {x + 30} {to_y}H{end.x}"
