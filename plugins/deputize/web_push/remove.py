"""A browser is told nothing any more: its person says so, its push service, or both have parted."""

from sqlalchemy import ColumnElement, delete

from ..audit.record import Event, record
from ..core.db import Database, Transaction
from ..core.values import is_id
from .models import browser


def remove_own(db: Database, person_id: str | None, browser_id: str) -> bool:
    """Remove a browser of this person's; tell whether there was one."""
    if not is_id(browser_id):
        return False
    theirs = (browser.c.id == browser_id) & (browser.c.person_id == person_id)
    with db.write() as tx:
        return remove_browsers(tx, theirs, why="removed") > 0


def remove_browsers(tx: Transaction, which: ColumnElement[bool], *, why: str) -> int:
    """Forget where these browsers are reached; return how many there were."""
    removed = delete(browser).where(which).returning(browser.c.id, browser.c.person_id)
    gone = tx.execute(removed).all()
    for one in gone:
        facts = {"browser_id": one.id, "why": why}
        record(tx, Event("browser.removed", one.person_id, facts=facts))
    return len(gone)
