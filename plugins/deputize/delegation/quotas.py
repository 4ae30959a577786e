"""How often a thing may be done in one task: counters, a row each, raised by one statement.

Never a column of a row that others hold shared: two who both raised it would wait for each
other. Exchanges are counted before nodes, so that rows are locked in one order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ClauseElement, bindparam, literal_column, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ..core.db import Prepared, Transaction
from ..core.refusal import Refusal
from ..settings import Settings
from ..tasks.models import Task
from .liveness import Standing
from .models import quota

_TOO_OFTEN = "That was done too often in this task."


@dataclass(frozen=True, slots=True)
class Quota:
    """What the budget of a task is about: a member of it, bounded by a setting as well."""

    name: str
    rule: str
    bound: Callable[[Settings], int]

    def most(self, settings: Settings, budget: Task | Standing) -> int:
        """Return how often it may be done."""
        said = getattr(budget, self.name)
        return min(self.bound(settings), said) if said is not None else self.bound(settings)


EXCHANGES = Quota("exchanges", "quota.exchanges", lambda settings: settings.tasks.max_exchanges)
SPAWNED = Quota("spawned", "quota.spawned", lambda settings: settings.agents.max_spawned)
ELEVATED = Quota("elevated", "quota.elevated", lambda settings: settings.tasks.max_elevated)


def drawing(of: Quota, standing: Standing, settings: Settings) -> Callable[[Transaction], None]:
    """Return the write that counts one more in the task, and refuses what is too many."""
    return partial(
        draw,
        name=f"{of.name}:{standing.node.task_id}",
        limit=of.most(settings, standing),
        rule=of.rule,
    )


def draw(tx: Transaction, name: str, limit: int, rule: str) -> None:
    """Draw one from the quota `name`, unless `limit` have been drawn.

    :raises Refusal: `rule`
    """
    drawn = _DRAW.run(tx, {"name": name, "used": 1, "most": limit}) if limit else None
    if drawn is None or drawn.rowcount != 1:
        raise Refusal(rule, _TOO_OFTEN)


def require_left(tx: Transaction, of: Quota, standing: Standing, settings: Settings) -> None:
    """Refuse what could not be drawn any more.

    :raises Refusal: `quota.*`
    """
    if _drawn(tx, f"{of.name}:{standing.node.task_id}") >= of.most(settings, standing):
        raise Refusal(of.rule, _TOO_OFTEN)


def spent(tx: Transaction, task: Task, settings: Settings) -> dict[str, dict[str, int]]:
    """Return of each quota how much is used, and how much may be."""
    return {
        of.name: {"used": _drawn(tx, f"{of.name}:{task.id}"), "most": of.most(settings, task)}
        for of in (EXCHANGES, SPAWNED, ELEVATED)
    }


def _drawn(tx: Transaction, name: str) -> int:
    return int(tx.execute(select(quota.c.used).where(quota.c.name == name)).scalar() or 0)


def _draw(dialect: str) -> ClauseElement:
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    return insert(quota).on_conflict_do_update(
        index_elements=[quota.c.name],
        set_={"used": quota.c.used + literal_column("1")},
        where=quota.c.used < bindparam("most"),
    )


_DRAW = Prepared(_draw)
