"""Sends checkpoints of the audit trail off the machine, one a minute at most.

The line is stored with a seal; what is sent is the newest statement at that time. So each seal
is covered by a checkpoint within a minute, and a receiver that is away for a while misses none
that matters.
"""

from collections.abc import Collection
from typing import Any

from ..audit.checkpoint_file import as_line
from ..audit.keys import find_public_keys
from ..audit.seal import find_newest
from ..audit.statement import read
from ..core.db import Transaction
from .enqueue import count_since, enqueue, is_waiting
from .models import Line

CHECKPOINT = "audit.checkpoint"

#: Seconds between two, at least, and for which one is tried.
EVERY, TRIED = 60, 86_400

_SUBJECT, _DESTINATION = "trail", "audit-webhook"

#: What comes of sending is recorded, and sealed. On its own it is no reason to send again.
_OF_SENDING = frozenset({"outbox.delivered", "outbox.given_up"})


def announce(tx: Transaction, kinds: Collection[str]) -> None:
    """Let the newest checkpoint be sent, in the transaction of a seal.

    :param kinds: of the events that it seals
    """
    if _OF_SENDING.issuperset(kinds) or is_waiting(tx, CHECKPOINT, _SUBJECT, _DESTINATION):
        return
    is_soon = count_since(tx, CHECKPOINT, _SUBJECT, tx.now - EVERY) > 0
    due_at = tx.now + (EVERY if is_soon else 0)
    enqueue(tx, CHECKPOINT, _SUBJECT, _DESTINATION, due_at=due_at, expires_at=tx.now + TRIED)


def newest_checkpoint(tx: Transaction, _: Line) -> dict[str, Any] | None:
    """Return the newest statement as it is told; None before the first."""
    signed, keys = find_newest(tx), find_public_keys(tx)
    return as_line(read(signed, keys)[0], signed) if signed else None
