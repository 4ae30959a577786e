"""How often an agent was refused lately: how others see that one has gone astray."""

from dataclasses import dataclass

from sqlalchemy import text

from ..core.db import Prepared, Transaction
from .models import REFUSED

#: Seconds that are looked back.
LATELY = 3600

#: Refusals that are counted: so many stand for more.
MOST = 100


@dataclass(frozen=True, slots=True)
class Lately:
    """What was refused to one agent in the last hour.

    :param refused: requests that a rule said no to
    :param denied: times that a person said no to what it asked, or others did
    """

    refused: int = 0
    denied: int = 0


def find_lately(tx: Transaction, client_id: str) -> Lately:
    """Count what was refused to the agent."""
    kinds = _NEWEST.run(tx, {"agent": client_id, "since": tx.now - LATELY}).fetchall()
    denied = sum(kind == "approval.denied" for (kind,) in kinds)
    return Lately(refused=len(kinds) - denied, denied=denied)


# In SQL as it is: its condition is the index's, word for word, or that is not taken.
_NEWEST = Prepared(
    text(
        "SELECT kind FROM deputize_event WHERE agent = :agent AND at > :since"  # noqa: S608
        f" AND ({REFUSED}) ORDER BY at DESC LIMIT {MOST}"
    )
)
