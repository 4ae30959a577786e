"""A card in words: what the inbox says of a question that waits, came to nothing, or was decided.

The server's own words are in its title and its facts; what an agent wrote is kept apart, and
under the name of the agent that wrote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from flask import url_for
from markupsafe import Markup
from sqlalchemy import select

from ..agents.models import Agent
from ..catalogue.details import say_details
from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..core.values import Words
from ..delegation.details import Details, of_scope
from ..delegation.liveness import Standing, find_standing, why_dead
from ..delegation.models import delegation
from ..delegation.single_use import is_for_one_use
from ..tasks.models import task
from ..web.pages import (
    NOTHING,
    AgentFace,
    ApprovalCard,
    Asker,
    ChainLink,
    DecidedCard,
    Holding,
    ScopeChoice,
    State,
    UntilChoice,
)
from ..web.words import at_most, host_of, list_of, neutralise, since, time_tag, until
from .amounts import amount_fields
from .approvers import Needed, needed_by
from .find_cards import Card
from .grant_less import NOTHING_LEFT
from .models import Approval, Status
from .rules import asks_for_passkey, can_repeat, rules_of
from .warn import warnings

#: Why a card is shown again, by the rule that refused.
_PROBLEMS = {
    NOTHING_LEFT: "Nothing was granted. Tick at least one line, or press Deny.",
    "decision.more": "Nothing was granted. An amount can only be lowered.",
    "details.unknown": "Nothing was granted. This is not to be had any more: press Deny.",
    "details.malformed": "Nothing was granted. Write an amount such as 400 or 400.00.",
}


@dataclass(frozen=True)
class Again:
    """The card whose form came to nothing, and by which rule."""

    id: str = ""
    why: str = ""

    @property
    def problem(self) -> str:
        return _PROBLEMS.get(self.why, _PROBLEMS[NOTHING_LEFT])


#: Shorter lives than the longest that may be granted, in seconds.
_SHORTER = (60, 120, 300, 600, 900, 1800, 3600)


def find_first_hold(tx: Transaction, standing: Standing | None, agent: str) -> str | None:
    """Return the id of the delegation by which `agent` came into this chain."""
    above = standing.node.path.split("/")[:-1] if standing else []
    held = select(delegation.c.id).where(delegation.c.id.in_(above), delegation.c.actor == agent)
    return tx.execute(held.order_by(delegation.c.path)).scalars().first()


@dataclass(frozen=True)
class Telling:
    """What is needed to say a card in words.

    :param agents: by client id: all of the cards' chains
    :param passkey_acr: of the scopes that take a passkey; empty where that is not told
    """

    tx: Transaction
    catalogue: Catalogue
    agents: dict[str, Agent]
    again: Again = Again()
    passkey_acr: str = ""

    def open(self, asking: Card) -> ApprovalCard:
        """Tell what waits, with all that can be pressed."""
        card = asking[0]
        return replace(
            self._card(card, asking[1:]),
            left=self._until(min(one.expires_at for one in asking)),
            lifetimes=self._lifetimes(card),
            action=url_for("deputize_approvals.decided", approval_id=card.id),
            hidden={"shown": card.content_hash},
            amounts=amount_fields(card, self.catalogue.types),
            can_repeat=self._can_repeat(card),
            others=self._told_of_others(card),
            problem=self.again.problem if card.id == self.again.id else "",
        )

    def vote(self, asking: Card, subject: str) -> ApprovalCard:
        """Tell what somebody else is asked to second: what the person said yes to, no less."""
        card = asking[0]
        said = replace(card, scope=card.granted_scope, details=card.granted_details)
        return replace(
            self._card(said, asking[1:]),
            person=subject,
            left=self._until(card.expires_at),
            action=url_for("deputize_approvals.voted", approval_id=card.id),
            hidden={"shown": card.decision_hash or ""},
        )

    def to_sign(self, granted: Card, subject: str) -> tuple[ApprovalCard, str]:
        """Tell what is signed, and how long it lasts."""
        card = granted[0]
        face = replace(
            self._card(card, granted[1:]),
            others=() if subject else self._told_of_others(card),
            person=subject,
            left=self._until(min(one.expires_at for one in granted)),
        )
        return face, at_most(card.lifetime, _moment(self.tx.now))

    def late(self, card: Approval) -> ApprovalCard:
        """Tell what can't be decided any more: the same text, and why."""
        over = Markup("withdrawn, because what it hung on has ended")
        if self.tx.now >= card.expires_at:
            over = Markup("expired {}").format(self._ago(card.expires_at))
        return replace(self._card(card), over=over)

    def decided(self, card: Approval) -> DecidedCard:
        """Tell what the person said, and what has come of it."""
        is_yes, became = card.decision_hash is not None, self._became(card)
        given = card.granted_scope if is_yes else card.scope
        details = card.granted_details if is_yes else card.details
        return DecidedCard(
            agent=self._face(card.client_id),
            chain=self._chain(card),
            what=tuple(self._deed(name, details) for name in sorted(given - card.held)),
            message=card.binding_message,
            state=became.state,
            said=_said(card),
            when=self._ago(card.decided_at or card.created_at),
            since_then=became.since_then,
            stop_url=became.stop_url,
        )

    def _card(self, card: Approval, also: Sequence[Approval] = ()) -> ApprovalCard:
        standing = find_standing(self.tx, card.delegation_id)
        purpose = select(task.c.purpose).where(task.c.id == card.task_id)
        return ApprovalCard(
            id=card.id,
            agent=self._face(card.client_id),
            chain=self._chain(card),
            message=card.binding_message,
            deputized=self._face(card.root_agent),
            purpose=str(self.tx.execute(purpose).scalar() or ""),
            adds=tuple(self._choice(name, card) for name in sorted(card.adding)),
            holds=self._holdings(standing.node.scope if standing else card.held),
            takes_passkey=self._takes_passkey(card.adding),
            also=self._askers(also),
            warnings=self._warnings([card, *also]),
            is_for_one_use=is_for_one_use(self.catalogue, card.scope),
            may_be_passed_on=bool(card.scope & self.catalogue.delegable),
        )

    def _warnings(self, asking: Sequence[Approval]) -> tuple[Markup, ...]:
        told = (warnings(one.chain, self.agents, self.tx.now) for one in asking)
        return tuple(dict.fromkeys(chain.from_iterable(told)))

    def _askers(self, asking: Sequence[Approval]) -> tuple[Asker, ...]:
        return tuple(
            Asker(self._face(one.client_id), self._chain(one), one.binding_message)
            for one in asking
        )

    def _became(self, card: Approval) -> "_Became":
        if card.status == Status.DENIED:
            is_theirs = card.decision_hash is not None
            return _Became(State.REFUSED, Markup("somebody else said no") if is_theirs else NOTHING)
        if card.status in (Status.PENDING, Status.EXPIRED):
            return self._with_others(card)
        if card.status == Status.WITHDRAWN:
            return _Became(State.ENDED, Markup("withdrawn: a passkey was removed"))
        asker = find_standing(self.tx, card.delegation_id)
        if card.for_task and why_dead(asker, self.tx.now) is None:
            return self._can_be_repeated(card, asker)
        if card.status == Status.REDEEMED:
            return self._granted(card)
        if self.tx.now < card.expires_at and why_dead(asker, self.tx.now) is None:
            return _Became(State.WAITING, Markup("not used yet"))
        return _Became(State.ENDED, Markup("never used"))

    def _with_others(self, card: Approval) -> "_Became":
        """Tell what has come of a yes that others are asked to say as well."""
        asker = find_standing(self.tx, card.delegation_id)
        if self.tx.now >= card.expires_at or why_dead(asker, self.tx.now):
            return _Became(State.ENDED, Markup("not everybody who was asked said yes"))
        names = neutralise(list_of(sorted(self._others(card))), 120)
        return _Became(State.WAITING, Markup("waits for {}").format(names))

    def _others(self, card: Approval) -> set[str]:
        return {one.group for one in self._needed(card.granted_scope & card.adding)}

    def _told_of_others(self, card: Approval) -> tuple[tuple[int, str], ...]:
        return tuple((one.quorum, one.group) for one in self._needed(card.adding))

    def _can_repeat(self, card: Approval) -> bool:
        rules = rules_of(self.catalogue, card.adding)
        return can_repeat(rules, card.details, self.catalogue.types)

    def _needed(self, adding: Words) -> list[Needed]:
        needed = needed_by(rules_of(self.catalogue, adding))
        return sorted(needed, key=lambda one: one.group)

    def _takes_passkey(self, adding: Words) -> bool:
        return asks_for_passkey(rules_of(self.catalogue, adding), self.passkey_acr)

    def _can_be_repeated(self, card: Approval, asker: Standing | None) -> "_Became":
        first = find_first_hold(self.tx, asker, card.client_id) or card.delegation_id
        stop = url_for("deputize_agents.confirm", delegation_id=first)
        return _Became(State.ACTIVE, Markup("good until the task is over"), stop)

    def _granted(self, card: Approval) -> "_Became":
        standing = find_standing(self.tx, card.node_id or "")
        ends_at = card.token_expires_at or self.tx.now
        if why_dead(standing, self.tx.now) or self.tx.now >= ends_at:
            return _Became(State.ENDED, Markup("over now"))
        first = find_first_hold(self.tx, standing, card.client_id)
        stop = url_for("deputize_agents.confirm", delegation_id=first) if first else ""
        return _Became(State.ACTIVE, Markup("good {}").format(self._until(ends_at)), stop)

    def _lifetimes(self, card: Approval) -> tuple[UntilChoice, ...]:
        offered = [*(s for s in _SHORTER if s < card.lifetime), card.lifetime]
        now = _moment(self.tx.now)
        return tuple(UntilChoice(s, at_most(s, now), s == card.lifetime) for s in offered)

    def _chain(self, card: Approval) -> tuple[ChainLink, ...]:
        return tuple(ChainLink(self._face(name).name) for name in card.chain)

    def _choice(self, name: str, card: Approval) -> ScopeChoice:
        return ScopeChoice(name, self._deed(name, card.details), self._where(name))

    def _deed(self, name: str, details: Details) -> str:
        """Return what a scope lets it do: what its details mean, where it has any."""
        types = self.catalogue.types
        told = say_details(of_scope(details, frozenset({name}), types), types)
        return told or self._what(name)

    def _holdings(self, scope: Words) -> tuple[Holding, ...]:
        # What is done elsewhere first.
        names = sorted(scope, key=lambda name: (name not in self.catalogue.scopes, name))
        return tuple(Holding(self._what(name), self._where(name)) for name in names)

    def _what(self, name: str) -> str:
        return self.catalogue.describe(name)

    def _where(self, name: str) -> str:
        known = self.catalogue.scopes.get(name)
        return host_of(known.resource) if known else ""

    def _face(self, client_id: str) -> AgentFace:
        known = self.agents.get(client_id)
        return AgentFace(client_id, known.name if known else client_id)

    def _ago(self, at: int) -> Markup:
        now, moment = _moment(self.tx.now), _moment(at)
        return time_tag(since(moment, now), moment, now)

    def _until(self, at: int) -> Markup:
        now, moment = _moment(self.tx.now), _moment(at)
        return time_tag(until(moment, now), moment, now)


@dataclass(frozen=True)
class _Became:
    """What has come of a decision."""

    state: State
    since_then: Markup = NOTHING
    stop_url: str = ""


def _said(card: Approval) -> str:
    if card.status == Status.DENIED and card.decision_hash is None:
        return "you said no"
    if card.repeats is not None:
        return "as you had said for the whole task"
    same_scope = card.granted_scope == card.scope
    is_all = same_scope and card.granted_details == card.details
    said = "you said yes" if is_all else "you said yes to less"
    return f"{said}, for the whole task" if card.for_task else said


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
