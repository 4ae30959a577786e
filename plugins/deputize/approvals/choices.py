"""How a person wants to be told that an agent waits: by which channels, and when not.

A row only of those who have chosen; all others are told by every channel that is on, at any
time.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Column, Integer, Row, String, Table, Text, delete, select, update

from ..audit.record import Event, record
from ..core.db import Database, Transaction, insert_unless_present, metadata
from ..core.values import Words, line, words
from ..delegation.persons import held_person
from ..outbox.enqueue import move
from .quiet import Period, QuietHours
from .tell_kinds import DIGEST, DIGEST_LASTS

choice = Table(
    "deputize_notify_choice",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("muted", Text, nullable=False),
    Column("quiet_from", Integer),
    Column("quiet_to", Integer),
    Column("zone", String(64)),
)


@dataclass(frozen=True, slots=True)
class Choices:
    """One person's.

    :param muted: the channels that they switched off
    :param quiet: None where they are told at any time
    """

    muted: Words = frozenset()
    quiet: QuietHours | None = None

    def quiet_at(self, now: int) -> Period | None:
        """Return the stretch of quiet that `now` lies in, or None."""
        return self.quiet.period_at(now) if self.quiet else None


def find_choices(tx: Transaction, person_id: str) -> Choices:
    """Return what the person has chosen, or what holds for those who have not."""
    row = tx.execute(select(choice).where(choice.c.person_id == person_id)).first()
    return _choices(row) if row else Choices()


def switch(db: Database, host_key: str, channel: str, *, is_on: bool) -> None:
    """Tell the person by that channel from now on, or not any more."""

    def switched(before: Choices) -> Choices:
        others = before.muted - {channel}
        return replace(before, muted=others if is_on else others | {channel})

    kind = "notify.switched_on" if is_on else "notify.switched_off"
    with held_person(db, host_key) as (tx, person_id):
        _change(tx, person_id, switched, Event(kind, facts={"channel": channel}))


def set_quiet_hours(db: Database, host_key: str, quiet: QuietHours | None) -> None:
    """Keep the person's quiet hours, or have none; what waits for their end moves with it."""
    event = Event("notify.quiet_hours_set" if quiet else "notify.quiet_hours_removed")
    with held_person(db, host_key) as (tx, person_id):
        _change(tx, person_id, lambda before: replace(before, quiet=quiet), event)
        period = quiet.period_at(tx.now) if quiet else None
        due_at = period.ends if period else tx.now
        move(tx, DIGEST, person_id, due_at=due_at, expires_at=due_at + DIGEST_LASTS)


def forget_choices(tx: Transaction, person_id: str) -> None:
    """Delete what the person had chosen."""
    tx.execute(delete(choice).where(choice.c.person_id == person_id))


def _change(
    tx: Transaction, person_id: str, changed: Callable[[Choices], Choices], event: Event
) -> None:
    """Store what the person has chosen; the caller holds them, so that of two changes at once
    neither is lost."""
    insert_unless_present(tx, choice, {"person_id": person_id, "muted": ""})
    mine = choice.c.person_id == person_id
    after = changed(_choices(tx.execute(select(choice).where(mine)).one()))
    values = {
        "muted": line(after.muted),
        "quiet_from": after.quiet.starts if after.quiet else None,
        "quiet_to": after.quiet.ends if after.quiet else None,
        "zone": after.quiet.zone if after.quiet else None,
    }
    tx.execute(update(choice).where(mine).values(**values))
    record(tx, replace(event, person_id=person_id))


def _choices(row: Row[tuple[object, ...]]) -> Choices:
    quiet = QuietHours(row.quiet_from, row.quiet_to, row.zone) if row.zone else None
    return Choices(words(row.muted), quiet)
