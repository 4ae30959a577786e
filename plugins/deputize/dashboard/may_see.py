"""Who sees what on the pages across rooms, and who may stop what. Pure.

A person sees what is done on their behalf. Who answers for an agent sees it, and each
delegation in whose chain it stands. The host's roles `security` and `admin` see all and
may stop all. Nobody else learns that a thing exists. Stopping is for many; starting
again, and retiring for good, for the owner or an administrator. Nothing here grants.
"""

from collections.abc import Collection

from ..agents.lifecycle import Status
from ..agents.models import Agent
from ..core.values import Words
from ..host import Person

ADMIN, SECURITY = "admin", "security"


def sees_all(me: Person) -> bool:
    """Tell whether the host says that the person looks after every agent."""
    return not me.roles.isdisjoint({ADMIN, SECURITY})


def may_see_agent(me: Person, agent: Agent) -> bool:
    """Tell whether the agent exists for the person; who sees it may suspend it."""
    return sees_all(me) or me.key in (agent.owner, agent.sponsor)


def may_suspend(me: Person, agent: Agent) -> bool:
    """Tell whether the person may stop the agent now."""
    return may_see_agent(me, agent) and agent.status == Status.ACTIVE


def may_resume(me: Person, agent: Agent) -> bool:
    """Tell whether the person may start a suspended agent again. What waits to be adopted is
    not let in by a press."""
    return _decides(me, agent) and agent.status == Status.SUSPENDED


def may_retire(me: Person, agent: Agent) -> bool:
    """Tell whether the person may end the agent for good."""
    return _decides(me, agent) and agent.status != Status.RETIRED


def may_see_delegation(me: Person, subject: str, chain: Collection[str], own: Words) -> bool:
    """Tell whether the delegation exists for the person; who sees it may end it.

    :param subject: the host's key of the person on whose behalf
    :param own: client ids of the agents that the person answers for
    """
    return sees_all(me) or me.key == subject or not own.isdisjoint(chain)


def may_see_task(me: Person, subject: str, deputized: Agent | None) -> bool:
    """Tell whether the whole of a task is shown to the person.

    :param deputized: the agent at its root; None where it is not known any more
    """
    owner = deputized.owner if deputized else None
    return sees_all(me) or me.key in (subject, owner)


def _decides(me: Person, agent: Agent) -> bool:
    return ADMIN in me.roles or me.key == agent.owner
