"""An administrator declares an agent: it is in from the moment at which it is stored.

An instance is stored as its blueprint is at that moment, whatever it was when the declaration was
read: an edit or a stop of the blueprint in between reaches it as it reaches the others.
"""

from dataclasses import replace

from ..audit.record import Event
from ..core.db import Database, Kind, Lock, Transaction
from .blueprints import follow
from .lifecycle import Status
from .models import Agent, find_agent
from .register import store_agent


def declare_agent(db: Database, declared: Agent, *, by: str) -> None:
    """Store the agent; an instance of what is stopped is stored suspended.

    :raises Refusal: `registration.taken` when the client id exists
    """
    # What changes the blueprint looks for its instances afterwards: then this is one of them.
    locks = [Lock(Kind.AGENT, declared.blueprint)] if declared.blueprint else []
    with db.write(locks) as tx:
        happened = Event("agent.declared", agent=declared.client_id, facts={"by": by})
        status = declared.status if has_live_blueprint(tx, declared) else Status.SUSPENDED
        store_agent(tx, replace(as_its_blueprint(tx, declared), status=status), happened)


def as_its_blueprint(tx: Transaction, known: Agent) -> Agent:
    """Return an instance as its blueprint is now, and any other agent as it is."""
    blueprint = _blueprint_of(tx, known)
    return follow(known, blueprint) if blueprint else known


def has_live_blueprint(tx: Transaction, known: Agent) -> bool:
    """Tell whether the agent may act by its blueprint, where it has one: that is not stopped."""
    blueprint = _blueprint_of(tx, known)
    return known.blueprint is None or (blueprint is not None and blueprint.status == Status.ACTIVE)


def _blueprint_of(tx: Transaction, known: Agent) -> Agent | None:
    return find_agent(tx, known.blueprint) if known.blueprint else None
