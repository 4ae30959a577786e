"""Tells what an application changes, or would: one line for each entry that is not as it was."""

from collections.abc import Iterable, Iterator

from ..web.words import neutralise
from .apply import Action, Change, Difference

_SIGNS = {
    Action.ADDED: "+",
    Action.CHANGED: "~",
    Action.ADOPTED: "~",
    Action.RETIRED: "-",
}
_LONGEST = 400


def told(changes: Iterable[Change], *, dry_run: bool = False) -> Iterator[str]:
    """Yield the lines."""
    counts = dict.fromkeys(Action, 0)
    for change in changes:
        counts[change.action] += 1
        if change.action in _SIGNS:
            name = neutralise(change.name, _LONGEST)
            yield f"{_SIGNS[change.action]} {change.kind} {name}: {change.action}"
            yield from (f"    {_told_difference(d)}" for d in change.differences)
    summary = ", ".join(f"{number} {action}" for action, number in counts.items() if number)
    nothing = "nothing is declared"
    yield (summary or nothing) + (": nothing was written, this was a dry run" if dry_run else "")


def _told_difference(difference: Difference) -> str:
    before, after = (neutralise(t, _LONGEST) for t in (difference.before, difference.after))
    return f"{difference.name}: {before} → {after}"
