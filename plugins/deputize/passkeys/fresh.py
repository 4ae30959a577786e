"""What decides about a person's passkeys, or lets an agent act again, takes a sign-in of a
moment ago, not only a session.

The host signs the person in again; where it does not, or can't tell when it did, nothing is
changed: whoever is at a browser that was left signed in would be taken for the person.
"""

from collections.abc import Callable

from flask import Response, request

from ..delegation.context import Context
from ..delegation.sign_in import find_mark, sign_in_url, with_mark
from ..host import Person
from ..web.pages import MessagePage, Onward, State
from ..web.shell import render, see_other

_NEVER_TOLD = (
    "This server's sign-in does not tell when you signed in.",
    "Without that, this can't be done here.",
)
_NOT_ASKED = (
    "The sign-in page did not ask you again, or you came back too late.",
    "Sign out, sign in, and come back at once.",
)


def freshly(context: Context, back: str, answer: Callable[[Person], Response]) -> Response:
    """Answer who has signed in just now; send everybody else to do so.

    :param back: path of the page to come back to, by a GET
    """
    me = context.host.current_person()
    if me is None:
        return see_other(sign_in_url(context, back))
    with context.db.read() as tx:
        now = tx.now
    return _sign_in_first(context, me, now, back) or answer(me)


def _sign_in_first(context: Context, me: Person, now: int, back: str) -> Response | None:
    told = context.host.authentication()
    if told is None or told.auth_time is None:
        return _refused(me, _NEVER_TOLD, back)
    if now - told.auth_time <= context.settings.approvals.passkey_sign_in:
        return None
    url = f"{request.root_path}{back}?"
    if find_mark(request.args.to_dict(flat=False), url, now) is not None:
        return _refused(me, _NOT_ASKED, back)
    return see_other(context.host.sign_in_url(with_mark(url, now)))


def _refused(me: Person, sentences: tuple[str, ...], back: str) -> Response:
    page = MessagePage(
        person=me.name,
        title="Nothing was changed",
        state=State.REFUSED,
        sentences=sentences,
        onward=(Onward(f"{request.root_path}{back}", "Try again"),),
    )
    return render("message.html", page, status=403)
