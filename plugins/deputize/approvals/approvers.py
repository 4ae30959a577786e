"""Others who must say yes beside the person: whom a scope's rule asks, and who is entitled.

Never somebody who owns or sponsors an agent of the chain, and never the person whom the
approval is about. Who is in a group is the host's to tell: it is asked when somebody
votes, of all who have voted, and again when the approval is redeemed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import select

from ..agents.models import Agent, find_agents
from ..catalogue.models import Scope
from ..core.db import Transaction
from ..core.values import Words
from ..delegation.models import person
from ..host import Host, Person
from .models import Approval, vote

#: How a rule names a group of the host's.
GROUP = "group:"


@dataclass(frozen=True, slots=True)
class Needed:
    """That many members of these groups.

    :param escalates_after: seconds from when on `escalates_to` may say it as well
    """

    group: str
    quorum: int
    escalates_to: str | None = None
    escalates_after: int = 0

    def groups(self, waited: int) -> Words:
        """Return which groups may say it, `waited` seconds after the person's own yes."""
        later = {self.escalates_to} if self.escalates_to else set()
        return frozenset({self.group, *(later if waited >= self.escalates_after else ())})


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote as it was cast.

    :param key: the host's, of who cast it
    :param evidence_id: of what they signed with a passkey, where they did
    """

    key: str
    acr: str | None
    auth_time: int | None
    evidence_id: str | None
    voted_at: int


def needed_by(rules: Iterable[Scope]) -> frozenset[Needed]:
    """Return whom else these rules ask for."""
    return frozenset(
        Needed(
            rule.approvers.removeprefix(GROUP),
            rule.quorum or 1,
            rule.escalates_to.removeprefix(GROUP) if rule.escalates_to else None,
            rule.escalates_after or 0,
        )
        for rule in rules
        if rule.approvers
    )


def is_quorum(needed: Iterable[Needed], voters: Collection[Person], waited: int) -> bool:
    """Tell whether `voters`, all of them entitled, are as many as each rule asks for."""
    return all(
        sum(bool(voter.groups & one.groups(waited)) for voter in voters) >= one.quorum
        for one in needed
    )


def is_asked(needed: Iterable[Needed], somebody: Person, waited: int) -> bool:
    """Tell whether `somebody` is of a group that may say it."""
    return any(somebody.groups & one.groups(waited) for one in needed)


def excluded_from(tx: Transaction, asking: Sequence[Approval]) -> Words:
    """Return the host's keys of those whose word does not count beside the person's.

    :param asking: what is decided by one word
    """
    return excluded_from_each(tx, [asking])[0]


def excluded_from_each(tx: Transaction, cards: Sequence[Sequence[Approval]]) -> list[Words]:
    """Return the same for each of `cards`, by as many statements as for one."""
    if not cards:
        return []
    agents = find_agents(tx, frozenset(name for one in chain(*cards) for name in one.chain))
    those = person.c.id.in_({card[0].person_id for card in cards})
    rows = tx.execute(select(person.c.id, person.c.host_key).where(those))
    subjects = {row.id: row.host_key for row in rows}
    return [_answerable(agents, card) | {subjects.get(card[0].person_id, "")} for card in cards]


def _answerable(agents: Mapping[str, Agent], asking: Sequence[Approval]) -> Words:
    known = [agents[name] for one in asking for name in one.chain if name in agents]
    return frozenset(key for agent in known for key in (agent.owner, agent.sponsor) if key)


def ballots_of(tx: Transaction, card: Approval) -> list[Ballot]:
    """Return the votes for exactly what was decided."""
    cast = (
        select(
            person.c.host_key.label("key"),
            vote.c.acr,
            vote.c.auth_time,
            vote.c.evidence_id,
            vote.c.voted_at,
        )
        .join(person, person.c.id == vote.c.person_id)
        .where(vote.c.decision_hash == card.decision_hash)
    )
    return [Ballot(**row) for row in tx.execute(cast).mappings()]


def entitled(host: Host, keys: Iterable[str], excluded: Words) -> list[Person]:
    """Return those of `keys` who are still there, and whose word counts."""
    found = [host.find_person(key) for key in keys if key not in excluded and host.is_active(key)]
    return [somebody for somebody in found if somebody is not None]
