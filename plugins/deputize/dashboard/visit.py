"""Somebody comes to a page across rooms: signed in, or sent to sign in; and one answer for what
is not there and what is none of theirs."""

from collections.abc import Callable

from flask import Response, request, url_for

from ..core.db import Database
from ..delegation.context import Context
from ..delegation.persons import ensure_person
from ..delegation.sign_in import sign_in_url
from ..host import Person
from ..web.pages import MessagePage, Onward, State
from ..web.shell import render, see_other


def signed_in(context: Context, answer: Callable[[Person], Response]) -> Response:
    """Answer who is signed in; send everybody else to do so, and back to where they were."""
    me = context.host.current_person()
    if me is None:
        here = request.full_path if request.query_string else request.path
        return see_other(sign_in_url(context, here if request.method == "GET" else request.path))
    return answer(me)


def nothing_here(me: Person) -> Response:
    """Answer the same for what never was, what is gone, and what is somebody else's."""
    page = MessagePage(
        person=me.name,
        title="There is nothing here",
        state=State.ENDED,
        sentences=("It is not there any more, or it is none of yours.",),
        onward=(Onward(url_for("deputize_agents.agents"), "Agents acting for me"),),
    )
    return render("message.html", page, status=404)


def id_of(db: Database, me: Person) -> str:
    """Return our id of who presses, for the event: one is made where there is none yet."""
    with db.write() as tx:
        return ensure_person(tx, me.key)
