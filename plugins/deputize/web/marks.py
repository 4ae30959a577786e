"""An agent's mark: a small shape made from its id, so that the same agent is recognised everywhere.

Two forms in turn about the middle, a core, and one of eight hues. It helps the eye and proves
nothing: two agents may share a mark, so a name always stands beside it.
Only presentation attributes and classes: the pages' CSP allows no inline style.
"""

from hashlib import sha256
from typing import Final

from markupsafe import Markup

HUES: Final = 8

# Each fills the upper left quarter of a box of 32, from (2, 2) to (16, 16).
QUARTERS: Final = (
    "M2 2h14v14z",  # halves of a square
    "M2 2h14l-14 14z",
    "M2 16a14 14 0 0 1 14 -14v14z",  # quarters of a disc, about each corner
    "M16 2a14 14 0 0 1 -14 14v-14z",
    "M2 2a14 14 0 0 1 14 14h-14z",
    "M16 16a14 14 0 0 1 -14 -14h14z",
    "M2 2a14 14 0 0 1 14 14a14 14 0 0 1 -14 -14z",  # a leaf
    "M3 9a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z",  # a disc
    "M2 9l7 -7l7 7l-7 7z",  # a diamond
    "M4 4h10v10h-10z",  # a square
)
# Laid over the middle in the colour of the ground.
CORES: Final = (
    "",
    "M12 16a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M16 10.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
    "M12.5 12.5h7v7h-7z",
)


def agent_mark(client_id: str) -> Markup:
    """Draw the mark of an agent as inline SVG: the same id, the same mark, on every server."""
    hue, core, *quarters = sha256(client_id.encode("utf-8", "surrogatepass")).digest()[:4]
    return Markup(
        '<svg class="mark hue-{}" viewBox="0 0 32 32" width="32" height="32" fill="currentColor"'
        ' aria-hidden="true" focusable="false">{}<path class="core" fill="#fff" d="{}"/></svg>'
    ).format(hue % HUES, _turned(quarters), CORES[core % len(CORES)])


def _turned(quarters: list[int]) -> Markup:
    return Markup("").join(
        Markup('<path transform="rotate({} 16 16)" d="{}"/>').format(
            90 * turn, QUARTERS[quarters[turn % 2] % len(QUARTERS)]
        )
        for turn in range(4)
    )
