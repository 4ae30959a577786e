"""On whose behalf a refused request was made, as far as it proved that.

Only what was verified counts: a token by its signature, a code or a refresh token by its
hash. Whoever showed it may be somebody else than it was made for: that is what the trail
is read for.
"""

from dataclasses import replace

from sqlalchemy import bindparam, select

from ..audit.record import Event
from ..core.db import Prepared, Transaction
from .context import Reading
from .models import delegation


def with_principals(tx: Transaction, refused: Event, reading: Reading) -> Event:
    """Return the refusal with the person, the task and the chain that the request showed."""
    named = replace(refused, person_id=reading.shown_person, delegation_id=reading.shown)
    row = _NODE.first(tx, {"id": reading.shown}) if reading.shown else None
    if row is None:
        return named
    person_id, task_id, chain = row
    return replace(named, person_id=person_id, task_id=task_id, chain=tuple(chain.split()))


_NODE = Prepared(
    select(delegation.c.person_id, delegation.c.task_id, delegation.c.chain).where(
        delegation.c.id == bindparam("id")
    )
)
