"""What the inbox says back: how a press came out, and where to go on."""

from collections.abc import Callable

from flask import Response, url_for

from ..core.db import Transaction
from ..delegation.context import Context
from ..delegation.sign_in import sign_in_url
from ..host import Person
from ..web.pages import MessagePage, Onward, State
from ..web.shell import is_own_form, render, see_other
from .decide import Outcome
from .models import Approval

APPROVALS_PAGE = "/deputize/approvals"

#: A form of another session: of a page that is older than the sign-in, or that is not ours.
OLD_FORM = "form.old"


def answer_to(context: Context, me: Person, outcome: Outcome) -> Response:
    if outcome is Outcome.CHANGED:
        return tell(me, "This changed while you were reading", "Please look again.", 409)
    if outcome is Outcome.SIGN_IN:
        return _sign_in_anew(context, me)
    if outcome is Outcome.OVER:
        return tell(me, "This can't be decided any more", "It has expired, or ended.", 410)
    if outcome is Outcome.FORBIDDEN:
        return tell(
            me, "Your organisation does not allow this", "A policy of theirs forbids it.", 403
        )
    return see_other(url_for(".approvals"))


def again(approval_id: str, why: str) -> Response:
    """Show the card again whose form came to nothing.

    :param why: the rule that refused it, or `OLD_FORM`
    """
    anchor = f"card-{approval_id}"
    return see_other(url_for(".approvals", again=approval_id, why=why, _anchor=anchor))


def sign_in(context: Context) -> Response:
    return see_other(sign_in_url(context, APPROVALS_PAGE))


def on_card(
    context: Context,
    approval_id: str,
    find: Callable[[Transaction, str, Person], Approval | None],
    missing: str,
    act: Callable[[Context, Person, Approval], Response],
) -> Response:
    """Answer a press on a card: of who is signed in, by a form of theirs, on what is theirs.

    :param find: returns the card, if it waits for this person's word
    :param missing: what is told where there is none
    """
    me = context.host.current_person()
    if me is None:
        return sign_in(context)
    if not is_own_form():
        return again(approval_id, OLD_FORM)
    with context.db.read() as tx:
        card = find(tx, approval_id, me)
    if card is None:
        return tell(me, "There is nothing to decide here", missing, 404)
    return act(context, me, card)


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
            Onward(sign_in_url(context, APPROVALS_PAGE), "Sign in"),
            Onward(url_for("deputize_approvals.approvals"), "What agents ask you"),
        ),
    )
    return render("message.html", page, status=403)


def tell(me: Person, title: str, why: str, status: int) -> Response:
    page = MessagePage(
        person=me.name,
        title=title,
        state=State.ENDED,
        sentences=(why, "Nothing was granted."),
        onward=(Onward(url_for("deputize_approvals.approvals"), "What agents ask you"),),
    )
    return render("message.html", page, status=status)
