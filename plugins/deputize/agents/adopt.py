"""An agent that registered itself is adopted by the first person who lets it act for them.

Only where `agents.self_registered` is `adopt_at_consent`. The person becomes its owner; it
holds what they granted and no more, acts for them and nobody else, and neither for itself,
nor through others, until an administrator confirms it by adopting it.
"""

from dataclasses import replace

from sqlalchemy import update

from ..audit.record import Event, record
from ..catalogue.models import SPAWN
from ..core.db import Transaction
from ..core.values import Words
from ..settings import Settings
from .lifecycle import Status
from .models import Agent, agent, agent_to_row
from .register import SELF

#: What such an agent never holds.
WITHHELD = frozenset({SPAWN})


def is_adoptable(known: Agent, now: int, settings: Settings) -> bool:
    """Tell whether a person may be asked to adopt it: nobody answers for it yet."""
    waits = known.origin == SELF and known.status == Status.PENDING and now < known.expires_at
    unowned = known.owner is None or known.only_for is not None
    return settings.agents.self_registered == "adopt_at_consent" and waits and unowned


def is_unconfirmed(known: Agent) -> bool:
    """Tell whether no administrator has let it in: it waits, or acts for one person alone."""
    return known.only_for is not None or known.status == Status.PENDING


def may_act_for(known: Agent, person_key: str) -> bool:
    """Tell whether it may act for the person at all."""
    return known.only_for in (None, person_key)


def adopt(tx: Transaction, known: Agent, person_key: str, scope: Words, resources: Words) -> bool:
    """Make the person the owner of `known`, with a ceiling of what they granted.

    By one compare-and-set on what their page showed: tell whether nothing came in between.
    The caller holds the agent's lock.
    """
    adopted = replace(
        known,
        status=Status.ACTIVE,
        owner=person_key,
        only_for=person_key,
        scope=scope - WITHHELD,
        resources=resources,
        delegates_to=frozenset(),
        revision=known.revision + 1,
    )
    as_shown = (
        (agent.c.client_id == known.client_id)
        & (agent.c.status == Status.PENDING)
        & (agent.c.revision == known.revision)
    )
    if tx.execute(update(agent).where(as_shown).values(**agent_to_row(adopted))).rowcount != 1:
        return False
    facts = {"scope": sorted(adopted.scope), "resources": sorted(resources)}
    record(tx, Event("agent.adopted", agent=known.client_id, facts=facts))
    return True
