"""A person is erased: all that is theirs ends, and what is personal of them is removed.

Their row stays as a tombstone under the same id, so that events and delegations still name
one and the same person, whom nobody can tell any more. Events stay as they were sealed:
what binds them to content is keyed with the salt, which is shredded here.
"""

from sqlalchemy import or_, select, update

from ..agents.change_status import change_status
from ..agents.lifecycle import Status
from ..agents.models import Agent, agent, find_agent
from ..audit.record import Event, record
from ..core.db import Database, Transaction
from ..delegation.models import code, person
from .cut import Cut, agent_locked, cut, live_nodes_of, withdraw_codes
from .person_left import leave, person_locked
from .shred import shred

#: Members of a registration that name a person.
_NAMES = ("owner", "sponsor", "only_for")

_WHY = "erased"
_NOBODY_ANSWERS = "owner_erased"


def erase_person(db: Database, person_id: str, *, by: str) -> Cut:
    """Erase the person of that id of ours; return what ended on their behalf.

    Done again, it removes what has come since. The bytes are gone from an SQLite file once
    `Database.rewrite` has run.

    :param by: whoever erases them, as the trail calls them
    """
    with db.read() as tx:
        row = tx.execute(select(person.c.host_key).where(person.c.id == person_id))
        host_key = str(row.scalar_one())
        agents = _agents_of(tx, host_key)
    # An agent is locked after a person: not within the person's transaction.
    for client_id in agents:
        _let_go(db, client_id, host_key, by)
    with person_locked(db, person_id) as tx:
        ended = leave(tx, person_id, _WHY)
        shred(tx, person_id, host_key)
        record(tx, Event("person.erased", person_id=person_id, facts={"by": by}))
    return ended


def _agents_of(tx: Transaction, host_key: str) -> list[str]:
    named = or_(*(agent.c[name] == host_key for name in _NAMES))
    theirs = select(agent.c.client_id).where(named).order_by(agent.c.client_id)
    return list(tx.execute(theirs).scalars())


def _let_go(db: Database, client_id: str, host_key: str, by: str) -> None:
    """Take the person out of an agent's registration; one that they answer for is stopped."""
    with agent_locked(db, client_id) as tx:
        theirs = find_agent(tx, client_id)
        if theirs is None:
            return
        if host_key in (theirs.owner, theirs.only_for):
            _stop(tx, theirs, by)
        emptied = {name: None for name in _NAMES if getattr(theirs, name) == host_key}
        # It registered itself, for this one person: what it says of itself is about them.
        words = {"name": "", "purpose": "", "redirect_uris": "[]", "jwks_uri": None}
        values = emptied | (words if theirs.only_for == host_key else {})
        this = update(agent).where(agent.c.client_id == client_id)
        tx.execute(this.values(revision=agent.c.revision + 1, **values))
        record(tx, Event("agent.edited", agent=client_id, facts={"by": by}))


def _stop(tx: Transaction, theirs: Agent, by: str) -> None:
    """Retire one that was theirs alone; suspend one that somebody else can answer for.

    One that waits to be adopted goes on waiting.
    """
    is_theirs_alone = theirs.only_for is not None or theirs.origin == "spawned"
    target = Status.RETIRED if is_theirs_alone else Status.SUSPENDED
    if change_status(tx, theirs.client_id, target):
        facts = {"why": _NOBODY_ANSWERS, "by": by}
        record(tx, Event(f"agent.{target}", agent=theirs.client_id, facts=facts))
        withdraw_codes(tx, code.c.client_id == theirs.client_id)
        cut(tx, live_nodes_of(tx, [theirs.client_id]), _NOBODY_ANSWERS, by)
