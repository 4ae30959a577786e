"""What a person decided, in words, and what has come of it since."""

from dataclasses import dataclass

from flask import url_for
from markupsafe import Markup

from ..delegation.liveness import why_dead
from ..web.pages import NOTHING, DecidedCard, State
from ..web.words import list_of, neutralise
from .models import Approval, Status
from .wording import Wording


@dataclass(frozen=True)
class _Became:
    """What has come of a decision."""

    state: State
    since_then: Markup = NOTHING
    stop_url: str = ""


@dataclass(frozen=True)
class Decisions(Wording):
    """Decided cards in words."""

    def decided(self, card: Approval) -> DecidedCard:
        """Tell what the person said, and what has come of it."""
        is_yes, became = card.decision_hash is not None, self._became(card)
        given = card.granted_scope if is_yes else card.scope
        details = card.granted_details if is_yes else card.details
        return DecidedCard(
            id=card.id,
            agent=self.face(card.client_id),
            chain=self.chain(card),
            what=tuple(self.deed(name, details) for name in sorted(given - card.held)),
            message=card.binding_message,
            state=became.state,
            said=_said(card),
            when=self.ago(card.decided_at or card.created_at),
            since_then=became.since_then,
            stop_url=became.stop_url,
        )

    def _became(self, card: Approval) -> _Became:
        if card.status == Status.DENIED:
            is_theirs = card.decision_hash is not None
            return _Became(State.REFUSED, Markup("somebody else said no") if is_theirs else NOTHING)
        if card.status in (Status.PENDING, Status.EXPIRED):
            return self._with_others(card)
        if card.status == Status.WITHDRAWN:
            return _Became(State.ENDED, Markup("withdrawn: a passkey was removed"))
        if card.for_task and self._lives(card.delegation_id):
            return self._can_be_repeated(card)
        if card.status == Status.REDEEMED:
            return self._granted(card)
        if self.around.now < card.expires_at and self._lives(card.delegation_id):
            return _Became(State.WAITING, Markup("not used yet"))
        return _Became(State.ENDED, Markup("never used"))

    def _with_others(self, card: Approval) -> _Became:
        """Tell what has come of a yes that others are asked to say as well."""
        if self.around.now >= card.expires_at or not self._lives(card.delegation_id):
            return _Became(State.ENDED, Markup("not everybody who was asked said yes"))
        groups = {one.group for one in self.needed(card.granted_scope & card.adding)}
        names = neutralise(list_of(sorted(groups)), 120)
        return _Became(State.WAITING, Markup("waits for {}").format(names))

    def _can_be_repeated(self, card: Approval) -> _Became:
        first = self.around.find_first_hold(card.delegation_id, card.client_id)
        stop = url_for("deputize_agents.confirm", delegation_id=first or card.delegation_id)
        return _Became(State.ACTIVE, Markup("good until the task is over"), stop)

    def _granted(self, card: Approval) -> _Became:
        node_id, ends_at = card.node_id or "", card.token_expires_at or 0
        if node_id in self.around.uses:
            used = self.ago(self.around.uses[node_id])
            return _Became(State.ENDED, Markup("used {}").format(used))
        if self.around.now >= ends_at or not self._lives(node_id):
            return _Became(State.ENDED, Markup("over now"))
        first = self.around.find_first_hold(node_id, card.client_id)
        stop = url_for("deputize_agents.confirm", delegation_id=first) if first else ""
        return _Became(State.ACTIVE, Markup("good {}").format(self.until(ends_at)), stop)

    def _lives(self, delegation_id: str) -> bool:
        return why_dead(self.around.standings.get(delegation_id), self.around.now) is None


def _said(card: Approval) -> str:
    if card.status == Status.DENIED and card.decision_hash is None:
        return "you said no"
    if card.repeats is not None:
        return "as you had said for the whole task"
    same_scope = card.granted_scope == card.scope
    is_all = same_scope and card.granted_details == card.details
    said = "you said yes" if is_all else "you said yes to less"
    return f"{said}, for the whole task" if card.for_task else said
