"""The status machine of an agent. Pure.

`pending → active ⇄ suspended → retired`; `retired` absorbs. Only an active, unexpired
agent gets or keeps tokens.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where an agent stands."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


_NEXT: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.ACTIVE, Status.RETIRED}),
    Status.ACTIVE: frozenset({Status.PENDING, Status.SUSPENDED, Status.RETIRED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.RETIRED}),
    Status.RETIRED: frozenset(),
}


def sources(target: Status) -> frozenset[Status]:
    """Return the states from which `target` can be reached: the `WHERE` of its update."""
    return frozenset(state for state, following in _NEXT.items() if target in following)
