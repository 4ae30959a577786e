"""What `audit list`, `export` and `follow` look for: the same options, read in one way."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

import click
from sqlalchemy import select

from ..audit.query import Search, Told
from ..core.db import Transaction
from ..delegation.context import Context
from ..delegation.models import archived, delegation
from .shared import Failure, get_context, person_id_of, seconds_of

T = TypeVar("T")

_OPTIONS = (
    click.option("--person", help="On whose behalf: their user name, the host's key, or our id."),
    click.option("--agent", help="Who acted, or was acted upon, by client id."),
    click.option("--through", help="Who did, or stands anywhere in the chain, by client id."),
    click.option("--task", "task_id", help="Of this task."),
    click.option("--delegation", "delegation_id", help="Of this delegation."),
    click.option("--kind", help='Such as "delegation.issued", or all of "delegation".'),
    click.option("--rule", help='What was refused by this rule, such as "scope.unknown".'),
    click.option("--since", help='From then on: "7d" ago, "2026-05-01", "2026-05-01T09:30:00Z".'),
    click.option("--until", help="Before then; as --since."),
)


def searching(run: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options; it is called with a `Search` in their place."""

    @wraps(run)
    def with_search(**given: Any) -> Any:
        asked = {name: given.pop(name) for name in _NAMES}
        return run(search=_search(get_context(), **asked), **given)

    for option in reversed(_OPTIONS):
        with_search = option(with_search)
    return with_search


def spelled(events: Iterable[Told], spell: Callable[[bytes], T]) -> Iterator[T]:
    """Yield what `spell` makes of each event.

    Whoever wrote to the database may have written anything there: what is no event is named, and
    hides none of the others.
    """
    for told in events:
        try:
            made = spell(bytes(told.body))
        except Exception:  # noqa: BLE001 - of whatever kind it is
            click.echo(f"{told.id}: is no event: see deputize audit verify", err=True)
        else:
            yield made


_NAMES = (
    "person",
    "agent",
    "through",
    "task_id",
    "delegation_id",
    "kind",
    "rule",
    "since",
    "until",
)


def _search(context: Context, **asked: str | None) -> Search:
    """Return what is looked for.

    :raises Failure: for a person or a delegation that is not known, or no time
    """
    who, since, until = (asked.pop(name) for name in ("person", "since", "until"))
    with context.db.read() as tx:
        person_id = person_id_of(context, tx, who) if who else None
        # The trail has no index of delegations: the task's leads there.
        if asked["delegation_id"] and not asked["task_id"]:
            asked["task_id"] = _task_of(tx, asked["delegation_id"])
        times = [_time(name, told, tx.now) for name, told in (("since", since), ("until", until))]
    return Search(person_id=person_id, since=times[0], until=times[1], **asked)


def _task_of(tx: Transaction, delegation_id: str) -> str:
    for table in (delegation, archived):
        found = tx.execute(select(table.c.task_id).where(table.c.id == delegation_id)).scalar()
        if found is not None:
            return str(found)
    raise Failure(f"{delegation_id}: there is no such delegation")


def _time(option: str, told: str | None, now: int) -> int | None:
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return max(0, now - seconds_of(f"--{option}", told))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
