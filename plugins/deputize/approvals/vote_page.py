"""Where somebody whose word is asked for too says it: yes or no, and nothing less."""

from flask import Blueprint, Response, request, url_for

from ..delegation.context import Context
from ..host import Authentication, Person
from ..web.shell import is_own_form, see_other
from .models import Approval
from .said_back import APPROVALS_PAGE, answer_to, sign_in, tell
from .vote import Vote, find_asked


def add_vote(pages: Blueprint, context: Context) -> None:
    """Add what the form of such a card posts to."""

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>/vote")
    def voted(approval_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return sign_in(context)
        if not is_own_form():
            return see_other(url_for(".approvals"))
        with context.db.read() as tx:
            card = find_asked(tx, approval_id, me)
        if card is None:
            return tell(me, "There is nothing to decide here", "It does not wait for you.", 404)
        return _vote(context, me, card)


def _vote(context: Context, me: Person, card: Approval) -> Response:
    pressed, shown = request.form.get("decision"), request.form.get("shown", "")
    if pressed not in ("approve", "deny"):
        return see_other(url_for(".approvals"))
    told = context.host.authentication() or Authentication()
    vote = Vote(card, shown, me, told, is_yes=pressed == "approve")
    return answer_to(context, me, vote.cast(context))
