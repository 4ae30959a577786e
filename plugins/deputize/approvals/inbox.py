"""The inbox: what agents ask me now, and my yes, less, or no. A GET decides nothing.

What is pressed is what was shown: each card's form holds the hash of what it said, and a
decision about anything else is none.
"""

from dataclasses import dataclass, replace
from itertools import chain

from flask import Blueprint, Response, request, url_for

from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest
from ..delegation.context import Context
from ..host import Person
from ..passkeys.ask import telling_refusals
from ..passkeys.challenge import Purpose
from ..web.pages import AgentFace, InboxPage, TaskQuestion
from ..web.shell import render_live, see_other
from .around import read_around
from .cards import Again, Telling
from .decide import Outcome, decide
from .decisions import Decisions
from .find_cards import decided_cards, find_card, late_cards, open_cards, shown, shown_as_one
from .grant_less import NOTHING_LEFT, Yes
from .models import Approval
from .pressed import chosen, yes_of
from .said_back import APPROVALS_PAGE, again, answer_to, on_card, sign_in
from .signing import ToSign, by_passkey, not_signed
from .task_questions import find_waiting_tasks
from .vote import cards_asked_of
from .vote_page import add_vote, subject_of

#: Why a delegation ended whose agent was stopped with a no.
STOPPED = "stopped_with_a_no"

_MISSING = "It was never put to you."

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
            page = Inbox(context, tx, me).page()
        return render_live("inbox.html", page)

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>")
    def decided(approval_id: str) -> Response:
        return on_card(context, approval_id, _find, _MISSING, _decide)

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>/signed")
    def signed(approval_id: str) -> Response:
        return on_card(context, approval_id, _find, _MISSING, _signed)

    add_vote(pages, context)
    return pages


def _find(tx: Transaction, approval_id: str, me: Person) -> Approval | None:
    return find_card(tx, approval_id, me.key)


def _decide(context: Context, me: Person, card: Approval) -> Response:
    pressed = request.form.get("decision")
    try:
        yes, takes_passkey = yes_of(context, card) if pressed == "approve" else (None, False)
    except Refusal as refusal:
        return again(card.id, refusal.rule)
    if pressed not in ("approve", "deny", "stop"):
        return again(card.id, NOTHING_LEFT)
    if yes is not None and takes_passkey:
        return _ask_to_sign(context, me, card, yes)
    if pressed == "stop":
        # About the agent, and not about what the card says: it is stopped in any case.
        _stop(context, card)
    outcome = decide(context, card, request.form.get("shown", ""), yes)
    if pressed == "stop":
        return see_other(url_for(".approvals"))
    return answer_to(context, me, outcome)


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
        around = read_around(tx, list(asking))
    firsts = {around.find_first_hold(one.delegation_id, one.client_id) for one in asking}
    for first in sorted(filter(None, firsts)):
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
        asked_too = cards_asked_of(tx, self.me, READ)
        over, decided = late_cards(tx, key, LATE, LATE_SHOWN), decided_cards(tx, key, DECIDED_SHOWN)
        around = read_around(tx, [*chain(*asked, *asked_too), *over, *decided])
        waiting = shown(asked, around.standings, tx.now)
        live = {one.id for card in waiting for one in card}
        dead = [one for card in asked for one in card if one.id not in live]
        late = [*dead, *over][:LATE_SHOWN]
        catalogue = self.context.moment(tx).catalogue
        pressed = Again(request.args.get("again", ""), request.args.get("why", ""))
        telling = Telling(around, catalogue, pressed, self.context.settings.approvals.passkey_acr)
        return InboxPage(
            person=self.me.name,
            whose=digest(key),
            agents_url=url_for("deputize_agents.agents"),
            passkeys_url=url_for("deputize_passkeys.passkeys"),
            notifications_url=url_for("deputize_notifications.shown"),
            tasks=self._tasks(),
            cards=tuple(map(telling.open, waiting)),
            votes=tuple(
                telling.vote(
                    card, subject_of(self.context, around.standings[card[0].delegation_id])
                )
                for card in shown(asked_too, around.standings, tx.now)
            ),
            late=tuple(map(telling.late, late)),
            decided=tuple(map(Decisions(around, catalogue).decided, decided)),
        )

    def _tasks(self) -> tuple[TaskQuestion, ...]:
        return tuple(
            TaskQuestion(
                AgentFace(row.agent, row.name or row.agent),
                row.proposed or "",
                url_for("deputize_my_task.shown", task_id=row.id),
            )
            for row in find_waiting_tasks(self.tx, self.me.key, READ)
        )
