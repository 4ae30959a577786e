"""Tells whether the trail is what was sealed, and which event was touched where it is not.

Each event's body is compared with its leaf and its columns with the body, each batch with its
tree, each seal with its signature and with the one before, and the whole with checkpoints that
lay elsewhere. Everything is read of one moment, in pages. Whoever wrote to the database may have
written anything: what cannot be read is a finding, too.
"""

from collections.abc import Sequence

from sqlalchemy import select

from ..core.db import Database, Transaction
from .checkpoints import Checkpoints
from .examine_events import Events
from .examine_seals import Chain, read_pages
from .findings import Found, Verdict
from .keys import find_public_keys
from .models import as_stored, audit_key


def verify(db: Database, checkpoints: Sequence[str | None], late_after: int) -> Verdict:
    """Examine the whole trail.

    :param checkpoints: statements that lay elsewhere; None for what should have been one
    :param late_after: seconds in which each event is sealed
    """
    verdict = Verdict()
    with db.snapshot() as tx:
        keys = find_public_keys(tx)
        chain, events = Chain(keys, verdict), Events(tx, verdict, late_after)
        compared = Checkpoints(checkpoints, keys, verdict)
        for page in read_pages(tx, verdict):
            events.read_through(max(row.last_position for row in page))
            for row in page:
                compared.compare(row.number, row.statement, chain.examine(row))
                events.examine(row)
            events.leave_page()
        compared.finish(chain.number)
        events.finish(is_begun=bool(keys))
        _examine_keys(tx, chain, verdict)
    return verdict


def _examine_keys(tx: Transaction, chain: Chain, verdict: Verdict) -> None:
    """Name each key that no seal names: it is published, and could sign proofs and receipts."""
    if not chain.named:
        return
    for kid in tx.execute(select(as_stored(audit_key.c.kid))).scalars():
        if kid not in chain.named:
            verdict.add(Found.KEY_ADDED, f"no seal names the key {str(kid)[:43]}")
