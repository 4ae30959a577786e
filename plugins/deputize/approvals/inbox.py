"""The inbox: what agents ask me now, and my yes, less, or no. A GET decides nothing.

What is pressed is what was shown: each card's form holds the hash of what it said, and a
decision about anything else is none.
"""

from dataclasses import dataclass, replace
from itertools import chain

from flask import Blueprint, Response, request, url_for

from ..agents.models import find_agents
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..delegation.context import Context
from ..delegation.liveness import find_standing
from ..host import Person
from ..passkeys.ask import telling_refusals
from ..passkeys.challenge import Purpose
from ..web.pages import InboxPage
from ..web.shell import is_own_form, render, see_other
from .cards import Again, Telling, find_first_hold
from .decide import Outcome, decide
from .find_cards import decided_cards, find_card, late_cards, open_cards, shown, shown_as_one
from .grant_less import NOTHING_LEFT, Yes
from .models import Approval
from .pressed import chosen, yes_of
from .said_back import APPROVALS_PAGE, answer_to, sign_in, tell
from .signing import ToSign, by_passkey, not_signed
from .vote import cards_asked_of
from .vote_page import add_vote, subject_of

#: Why a delegation ended whose agent was stopped with a no.
STOPPED = "stopped_with_a_no"

#: Cards that are looked at; decided ones, and those that came to nothing, that are shown.
READ, DECIDED_SHOWN, LATE_SHOWN = 200, 20, 5

#: Seconds for which a card that came to nothing is still shown.
LATE = 3600


def inbox(context: Context) -> Blueprint:
    """Return the pages on which people decide what agents ask them."""
    pages = Blueprint("deputize_approvals", __name__)

    @pages.get(APPROVALS_PAGE)
    def approvals() -> Response:
        me = context.host.current_person()
        if me is None:
            return sign_in(context)
        with context.db.read() as tx:
            return render("inbox.html", Inbox(context, tx, me).page())

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>")
    def decided(approval_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return sign_in(context)
        if not is_own_form():
            return see_other(url_for(".approvals"))
        with context.db.read() as tx:
            card = find_card(tx, approval_id, me.key)
        if card is None:
            return tell(me, "There is nothing to decide here", "It was never put to you.", 404)
        return _decide(context, me, card)

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>/signed")
    def signed(approval_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return sign_in(context)
        with context.db.read() as tx:
            card = find_card(tx, approval_id, me.key)
        if card is None or not is_own_form():
            return see_other(url_for(".approvals"))
        return _signed(context, me, card)

    add_vote(pages, context)
    return pages


def _decide(context: Context, me: Person, card: Approval) -> Response:
    pressed = request.form.get("decision")
    try:
        yes, takes_passkey = yes_of(context, card) if pressed == "approve" else (None, False)
    except Refusal as refusal:
        return _again(card, refusal.rule)
    if pressed not in ("approve", "deny", "stop"):
        return _again(card, NOTHING_LEFT)
    if yes is not None and takes_passkey:
        return _ask_to_sign(context, me, card, yes)
    if pressed == "stop":
        # About the agent, and not about what the card says: it is stopped in any case.
        _stop(context, card)
    outcome = decide(context, card, request.form.get("shown", ""), yes)
    if pressed == "stop":
        return see_other(url_for(".approvals"))
    return answer_to(context, me, outcome)


def _again(card: Approval, why: str) -> Response:
    return see_other(url_for(".approvals", again=card.id, why=why, _anchor=f"card-{card.id}"))


def _ask_to_sign(context: Context, me: Person, card: Approval, yes: Yes) -> Response:
    with context.db.read() as tx:
        asking = shown_as_one(tx, card)
    granted = tuple(
        replace(one, scope=yes.scope, details=yes.details, lifetime=yes.lifetime) for one in asking
    )
    action = url_for(".signed", approval_id=card.id)
    return _to_sign(card, yes).ask(context, me, granted, action, chosen())


def _signed(context: Context, me: Person, card: Approval) -> Response:
    shown = request.form.get("shown", "")
    if shown != card.content_hash:
        return answer_to(context, me, Outcome.CHANGED)
    try:
        with telling_refusals(context.db, card.person_id):
            yes, _ = yes_of(context, card)
            signed = _to_sign(card, yes).hear(context)
            yes = replace(yes, authentication=by_passkey(context), signed=signed)
            outcome = decide(context, card, shown, yes)
    except Refusal as refusal:
        return not_signed(me, refusal)
    return answer_to(context, me, outcome)


def _to_sign(card: Approval, yes: Yes) -> ToSign:
    return ToSign(card.person_id, Purpose.APPROVE, card.id, yes.decided)


def _stop(context: Context, card: Approval) -> None:
    """End what the agents that asked hold of this task, from where each came in."""
    with context.db.read() as tx:
        asking = {one.id: one for one in (card, *shown_as_one(tx, card))}.values()
        firsts = {
            find_first_hold(tx, find_standing(tx, one.delegation_id), one.client_id) or ""
            for one in asking
        }
    for first in sorted(firsts - {""}):
        context.ends.end_delegation(first, why=STOPPED)


@dataclass(frozen=True)
class Inbox:
    """One person's cards at one moment."""

    context: Context
    tx: Transaction
    me: Person

    def page(self) -> InboxPage:
        """Return the open cards, oldest first, then what is past deciding, newest first."""
        tx, key = self.tx, self.me.key
        asked = open_cards(tx, key, READ)
        waiting, asked_too = shown(tx, asked), shown(tx, cards_asked_of(tx, self.me, READ))
        live = {one.id for card in waiting for one in card}
        dead = [one for card in asked for one in card if one.id not in live]
        late = [*dead, *late_cards(tx, key, LATE, LATE_SHOWN)][:LATE_SHOWN]
        decided = decided_cards(tx, key, DECIDED_SHOWN)
        told = [*chain(*waiting, *asked_too), *late, *decided]
        agents = find_agents(tx, frozenset(name for one in told for name in one.chain))
        catalogue = self.context.moment(tx).catalogue
        again = Again(request.args.get("again", ""), request.args.get("why", ""))
        telling = Telling(tx, catalogue, agents, again, self.context.settings.approvals.passkey_acr)
        return InboxPage(
            person=self.me.name,
            agents_url=url_for("deputize_agents.agents"),
            passkeys_url=url_for("deputize_passkeys.passkeys"),
            notifications_url=url_for("deputize_notifications.shown"),
            cards=tuple(map(telling.open, waiting)),
            votes=tuple(telling.vote(c, subject_of(self.context, tx, c[0])) for c in asked_too),
            late=tuple(map(telling.late, late)),
            decided=tuple(map(telling.decided, decided)),
        )
