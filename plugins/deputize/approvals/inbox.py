"""The inbox: what agents ask me now, and my yes, less, or no. A GET decides nothing.

What is pressed is what was shown: each card's form holds the hash of what it said, and a
decision about anything else is none.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, request, url_for
from sqlalchemy import select

from ..agents.models import Agent, find_agents
from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..core.values import Words
from ..delegation.context import Context
from ..delegation.liveness import find_standing, why_dead
from ..delegation.models import delegation
from ..host import Authentication, Person
from ..tasks.models import task
from ..web.pages import (
    AgentFace,
    ApprovalCard,
    ChainLink,
    DecidedCard,
    Holding,
    InboxPage,
    MessagePage,
    Onward,
    ScopeChoice,
    State,
    UntilChoice,
)
from ..web.shell import is_own_form, render, see_other
from ..web.words import at_most, host_of, since, time_tag, until
from .decide import Outcome, Yes, cards_of, decide, find_card
from .models import Approval, Status

APPROVALS_PAGE = "/deputize/approvals"

#: Why a delegation ended whose agent was stopped with a no.
STOPPED = "stopped_with_a_no"

#: Cards that are looked at, and decided ones that are shown.
READ, DECIDED_SHOWN = 200, 20

_SAID = {
    Status.APPROVED: (State.ACTIVE, "you said yes"),
    Status.REDEEMED: (State.ACTIVE, "you said yes"),
    Status.DENIED: (State.REFUSED, "you said no"),
}


def inbox(context: Context) -> Blueprint:
    """Return the pages on which people decide what agents ask them."""
    pages = Blueprint("deputize_approvals", __name__)

    @pages.get(APPROVALS_PAGE)
    def approvals() -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        with context.db.read() as tx:
            return render("inbox.html", Inbox(context, tx, me).page())

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>")
    def decided(approval_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        if not is_own_form():
            return see_other(url_for(".approvals"))
        with context.db.read() as tx:
            card = find_card(tx, approval_id, me.key)
        if card is None:
            return _told(me, "There is nothing to decide here", "It was never put to you.", 404)
        return _decide(context, me, card)

    return pages


def _decide(context: Context, me: Person, card: Approval) -> Response:
    pressed = request.form.get("decision")
    yes = _yes(context, card) if pressed == "approve" else None
    if pressed not in ("approve", "deny", "stop") or (yes and not yes.scope - card.held):
        return see_other(f"{url_for('.approvals')}#card-{card.id}")
    outcome = decide(context, card, request.form.get("shown", ""), yes)
    if outcome is Outcome.CHANGED:
        return _told(me, "This changed while you were reading", "Please look again.", 409)
    if outcome is Outcome.SIGN_IN:
        return _sign_in_anew(context, me)
    if outcome is Outcome.OVER:
        return _told(me, "This can't be decided any more", "It has expired, or ended.", 410)
    if pressed == "stop":
        _stop(context, card)
    return see_other(url_for(".approvals"))


def _yes(context: Context, card: Approval) -> Yes:
    ticked = frozenset(request.form.getlist("scope")) & (card.scope - card.held)
    chosen = request.form.get("lifetime", "")
    seconds = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 9 else 0
    return Yes(
        scope=ticked | card.held if ticked else frozenset(),
        lifetime=seconds or card.lifetime,
        authentication=context.host.authentication() or Authentication(),
    )


def _stop(context: Context, card: Approval) -> None:
    """End what the agent that asked holds of this task, from where it came in."""
    with context.db.read() as tx:
        standing = find_standing(tx, card.delegation_id)
        above = standing.node.path.split("/")[:-1] if standing else []
        held = select(delegation.c.id).where(
            delegation.c.id.in_(above), delegation.c.actor == card.client_id
        )
        first = tx.execute(held.order_by(delegation.c.path)).scalars().first()
    if first is not None:
        context.ends.end_delegation(first, why=STOPPED)


@dataclass(frozen=True)
class Inbox:
    """One person's cards at one moment."""

    context: Context
    tx: Transaction
    me: Person

    def page(self) -> InboxPage:
        """Return the open cards, oldest first, and the decisions, newest first."""
        cards = cards_of(self.tx, self.me.key, READ)
        agents = find_agents(self.tx, frozenset(name for c in cards for name in c.chain))
        telling = _Telling(self.tx, self.context.moment(self.tx).catalogue, agents)
        waiting = [c for c in reversed(cards) if c.is_open(self.tx.now) and self._lives(c)]
        decided = [c for c in cards if c.status in _SAID][:DECIDED_SHOWN]
        return InboxPage(
            person=self.me.name,
            agents_url=url_for("deputize_agents.agents"),
            cards=tuple(map(telling.card, waiting)),
            decided=tuple(map(telling.decided, decided)),
        )

    def _lives(self, card: Approval) -> bool:
        return why_dead(find_standing(self.tx, card.delegation_id), self.tx.now) is None


@dataclass(frozen=True)
class _Telling:
    """What is needed to say a card in words."""

    tx: Transaction
    catalogue: Catalogue
    agents: dict[str, Agent]

    def card(self, card: Approval) -> ApprovalCard:
        now, expires = self._clock(self.tx.now), self._clock(card.expires_at)
        purpose = select(task.c.purpose).where(task.c.id == card.task_id)
        return ApprovalCard(
            id=card.id,
            agent=self._face(card.client_id),
            chain=tuple(ChainLink(self._face(name).name) for name in card.chain),
            message=card.binding_message,
            purpose=str(self.tx.execute(purpose).scalar() or ""),
            adds=tuple(map(self._choice, sorted(card.scope - card.held))),
            holds=tuple(Holding(self._what(n), self._where(n)) for n in sorted(card.held)),
            left=time_tag(until(expires, now), expires, now),
            lifetimes=self._lifetimes(card, now),
            action=url_for("deputize_approvals.decided", approval_id=card.id),
            hidden={"shown": card.content_hash},
        )

    def decided(self, card: Approval) -> DecidedCard:
        state, said = _SAID[Status(card.status)]
        now, when = self._clock(self.tx.now), self._clock(card.decided_at or card.created_at)
        given: Words = card.granted_scope or card.scope
        return DecidedCard(
            agent=self._face(card.client_id),
            what=", ".join(map(self._what, sorted(given - card.held))),
            state=state,
            said=said,
            when=time_tag(since(when, now), when, now),
        )

    def _lifetimes(self, card: Approval, now: datetime) -> tuple[UntilChoice, ...]:
        offered = [s for s in (60, 120, 300, 600, 900, 1800, 3600) if s < card.lifetime]
        return tuple(
            UntilChoice(s, at_most(s, now), s == card.lifetime) for s in [*offered, card.lifetime]
        )

    def _choice(self, name: str) -> ScopeChoice:
        return ScopeChoice(name, self._what(name), self._where(name))

    def _what(self, name: str) -> str:
        return self.catalogue.describe(name)

    def _where(self, name: str) -> str:
        known = self.catalogue.scopes.get(name)
        return host_of(known.resource) if known else ""

    def _face(self, client_id: str) -> AgentFace:
        known = self.agents.get(client_id)
        return AgentFace(client_id, known.name if known else client_id)

    def _clock(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, UTC)


def _sign_in(context: Context) -> Response:
    return see_other(context.host.sign_in_url(request.root_path + APPROVALS_PAGE))


def _sign_in_anew(context: Context, me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        title="Sign in again to approve this",
        state=State.WAITING,
        sentences=(
            "This needs a sign-in that is fresher or stronger than yours.",
            "Nothing was granted.",
        ),
        onward=(
            Onward(context.host.sign_in_url(url_for("deputize_approvals.approvals")), "Sign in"),
            Onward(url_for("deputize_approvals.approvals"), "What agents ask you"),
        ),
    )
    return render("message.html", page, status=403)


def _told(me: Person, title: str, why: str, status: int) -> Response:
    page = MessagePage(
        person=me.name,
        title=title,
        state=State.ENDED,
        sentences=(why, "Nothing was granted."),
        onward=(Onward(url_for("deputize_approvals.approvals"), "What agents ask you"),),
    )
    return render("message.html", page, status=status)
