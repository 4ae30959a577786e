"""A card in words: what the inbox says of a question that waits, or came to nothing.

The server's own words are in its title and its facts; what an agent wrote is kept apart, and
under the name of the agent that wrote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from flask import url_for
from markupsafe import Markup

from ..core.values import Words
from ..delegation.single_use import is_for_one_use
from ..delegation.wording import holdings_of, where_of
from ..web.pages import ApprovalCard, Asker, ScopeChoice, UntilChoice
from ..web.words import at_most
from .amounts import amount_fields
from .find_cards import Card
from .grant_less import NOTHING_LEFT
from .models import Approval
from .rules import asks_for_passkey, can_repeat, rules_of
from .said_back import OLD_FORM
from .warn import warnings
from .wording import Wording

#: Why a card is shown again, by the rule that refused.
_PROBLEMS = {
    NOTHING_LEFT: "Nothing was granted. Tick at least one line, or press Deny.",
    "decision.more": "Nothing was granted. An amount can only be lowered.",
    "details.unknown": "Nothing was granted. This is not to be had any more: press Deny.",
    "details.malformed": "Nothing was granted. Write an amount such as 400 or 400.00.",
    OLD_FORM: "Nothing was decided: the page on which you pressed was too old. Look again.",
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


@dataclass(frozen=True)
class Telling(Wording):
    """Cards in words.

    :param passkey_acr: of the scopes that take a passkey; empty where that is not told
    """

    again: Again = Again()
    passkey_acr: str = ""

    def open(self, asking: Card) -> ApprovalCard:
        """Tell what waits, with all that can be pressed."""
        card = asking[0]
        return replace(
            self._card(card, asking[1:]),
            left=self.until(min(one.expires_at for one in asking)),
            lifetimes=self._lifetimes(card),
            action=url_for("deputize_approvals.decided", approval_id=card.id),
            hidden={"shown": card.content_hash},
            amounts=amount_fields(card, self.catalogue.types),
            can_repeat=self._can_repeat(card),
            others=self._told_of_others(card),
            problem=self._problem(card),
        )

    def vote(self, asking: Card, subject: str) -> ApprovalCard:
        """Tell what somebody else is asked to second: what the person said yes to, no less."""
        card = asking[0]
        said = replace(card, scope=card.granted_scope, details=card.granted_details)
        return replace(
            self._card(said, asking[1:]),
            person=subject,
            left=self.until(card.expires_at),
            action=url_for("deputize_approvals.voted", approval_id=card.id),
            hidden={"shown": card.decision_hash or ""},
            lasts=at_most(card.granted_lifetime or card.lifetime, self.now),
            problem=self._problem(card),
        )

    def to_sign(self, granted: Card, subject: str) -> tuple[ApprovalCard, str]:
        """Tell what is signed, and how long it lasts."""
        card = granted[0]
        face = replace(
            self._card(card, granted[1:]),
            others=() if subject else self._told_of_others(card),
            person=subject,
            left=self.until(min(one.expires_at for one in granted)),
        )
        return face, at_most(card.lifetime, self.now)

    def late(self, card: Approval) -> ApprovalCard:
        """Tell what can't be decided any more: the same text, and why."""
        over = Markup("withdrawn, because what it hung on has ended")
        if self.around.now >= card.expires_at:
            over = Markup("expired {}").format(self.ago(card.expires_at))
        return replace(self._card(card), over=over)

    def _card(self, card: Approval, also: Sequence[Approval] = ()) -> ApprovalCard:
        standing = self.around.standings.get(card.delegation_id)
        return ApprovalCard(
            id=card.id,
            agent=self.face(card.client_id),
            chain=self.chain(card),
            message=card.binding_message,
            deputized=self.face(card.root_agent),
            purpose=self.around.purposes.get(card.task_id, ""),
            adds=tuple(self._choice(name, card) for name in sorted(card.adding)),
            holds=holdings_of(standing.node.scope if standing else card.held, self.catalogue),
            takes_passkey=self._takes_passkey(card.adding),
            also=self._askers(also),
            warnings=self._warnings([card, *also]),
            is_for_one_use=is_for_one_use(self.catalogue, card.scope),
            may_be_passed_on=bool(card.scope & self.catalogue.delegable),
        )

    def _warnings(self, asking: Sequence[Approval]) -> tuple[Markup, ...]:
        around = self.around
        told = (warnings(one.chain, around.agents, around.now) for one in asking)
        return tuple(dict.fromkeys(chain.from_iterable(told)))

    def _problem(self, card: Approval) -> str:
        return self.again.problem if card.id == self.again.id else ""

    def _askers(self, asking: Sequence[Approval]) -> tuple[Asker, ...]:
        return tuple(
            Asker(self.face(one.client_id), self.chain(one), one.binding_message) for one in asking
        )

    def _told_of_others(self, card: Approval) -> tuple[tuple[int, str], ...]:
        return tuple((one.quorum, one.group) for one in self.needed(card.adding))

    def _can_repeat(self, card: Approval) -> bool:
        rules = rules_of(self.catalogue, card.adding)
        return can_repeat(rules, card.details, self.catalogue.types)

    def _takes_passkey(self, adding: Words) -> bool:
        return asks_for_passkey(rules_of(self.catalogue, adding), self.passkey_acr)

    def _lifetimes(self, card: Approval) -> tuple[UntilChoice, ...]:
        offered = [*(s for s in _SHORTER if s < card.lifetime), card.lifetime]
        return tuple(UntilChoice(s, at_most(s, self.now), s == card.lifetime) for s in offered)

    def _choice(self, name: str, card: Approval) -> ScopeChoice:
        return ScopeChoice(name, self.deed(name, card.details), where_of(name, self.catalogue))
