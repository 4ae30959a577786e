"""A person sends themselves a test: by the outbox, as everything goes; to where the host says.

Few in an hour: whoever holds the browser fills nobody's mailbox.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from ...audit.record import Event, record
from ...core.db import Database, Transaction
from ...core.refusal import Refusal
from ...delegation.persons import held_person
from ...outbox.channel import Channel
from ...outbox.enqueue import count_since, enqueue
from ...outbox.models import outbox
from ..tell import destination
from ..tell_kinds import TEST, TEST_LASTS
from .deliver import SENT

#: Tests of one person in an hour, by all channels together.
MOST, HOUR = 5, 3600


@dataclass(frozen=True, slots=True)
class LastTest:
    """What came of the last one.

    :param asked_at: NumericDate
    :param has_arrived: None while it is on its way
    """

    asked_at: int
    has_arrived: bool | None


def ask_for_test(db: Database, host_key: str, name: str, channel: Channel) -> None:
    """Store that a test is to be sent.

    :raises Refusal: `notify.too_many_tests`
    """
    with held_person(db, host_key) as (tx, person_id):
        if count_since(tx, TEST, person_id, tx.now - HOUR) >= MOST:
            text = f"You have sent {MOST} tests within an hour. Try again later."
            raise Refusal("notify.too_many_tests", text)
        to = destination(name, channel, person_id)
        enqueue(tx, TEST, person_id, to, due_at=tx.now, expires_at=tx.now + TEST_LASTS)
        record(tx, Event("notify.test_asked", person_id=person_id, facts={"channel": name}))


def last_tests(tx: Transaction, person_id: str, names: Iterable[str]) -> dict[str, LastTest]:
    """Return what came of the last test by each channel."""
    mine = (outbox.c.kind == TEST) & (outbox.c.subject == person_id)
    found = {}
    for row in tx.execute(select(outbox).where(mine).order_by(outbox.c.created_at)):
        has_arrived = row.outcome == SENT if row.done_at else None
        found[row.destination.partition(":")[0]] = LastTest(row.created_at, has_arrived)
    return {name: found[name] for name in names if name in found}
