"""What cards hang on and speak of, read for all of them at once: as many statements for one
card as for all that a person has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ..agents.models import Agent, find_agents
from ..core.db import Transaction
from ..delegation.liveness import Standing, find_standings_of
from ..delegation.models import delegation
from ..delegation.single_use import find_uses
from ..tasks.models import task
from .models import Approval


@dataclass(frozen=True)
class Around:
    """What was read at one moment.

    :param now: NumericDate
    :param agents: by client id: all of the cards' chains
    :param standings: by delegation id: by what each asks, and what each was granted
    :param purposes: by task id, in the words of who was deputized
    :param actors: by delegation id: who holds what the standings come from
    :param uses: by delegation id: when what was good for one use was used
    """

    now: int
    agents: dict[str, Agent]
    standings: dict[str, Standing]
    purposes: dict[str, str]
    actors: dict[str, str]
    uses: dict[str, int]

    def find_first_hold(self, delegation_id: str, agent: str) -> str | None:
        """Return the id of the delegation by which `agent` came into this one's chain."""
        standing = self.standings.get(delegation_id)
        above = _path(standing) if standing else []
        return next((one for one in above if self.actors.get(one) == agent), None)


def read_around(tx: Transaction, told: Sequence[Approval]) -> Around:
    """Read what these hang on."""
    granted = {one.node_id for one in told if one.node_id}
    standings = find_standings_of(tx, granted | {one.delegation_id for one in told})
    return Around(
        now=tx.now,
        agents=find_agents(tx, frozenset(name for one in told for name in one.chain)),
        standings=standings,
        purposes=_purposes(tx, {one.task_id for one in told}),
        actors=_actors(tx, {one for standing in standings.values() for one in _path(standing)}),
        uses=find_uses(tx, granted) if granted else {},
    )


def _path(standing: Standing) -> list[str]:
    return standing.node.path.split("/")[:-1]


def _purposes(tx: Transaction, ids: Iterable[str]) -> dict[str, str]:
    rows = tx.execute(select(task.c.id, task.c.purpose).where(task.c.id.in_(ids)))
    return {row.id: row.purpose or "" for row in rows}


def _actors(tx: Transaction, ids: Iterable[str]) -> dict[str, str]:
    rows = tx.execute(select(delegation.c.id, delegation.c.actor).where(delegation.c.id.in_(ids)))
    return {row.id: row.actor for row in rows}
