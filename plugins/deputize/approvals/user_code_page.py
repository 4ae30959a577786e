"""The page on which a person sets the code by which agents may ask them cold, or removes it.

A GET changes nothing, and a POST only what a fresh sign-in and a form of this session say:
whoever finds the browser open cannot set a code of theirs.
"""

from flask import Blueprint, Response, request, url_for

from ..core.db import Database
from ..core.refusal import Refusal
from ..delegation.context import Context
from ..delegation.sign_in import sign_in_url
from ..host import Person
from ..web.pages import NOTHING, MessagePage, Onward, State, UserCodePage
from ..web.shell import is_own_form, render, see_other
from ..web.words import since_tag
from .user_code import LONGEST, SHORTEST, find_set_at, remove_user_code, set_user_code

USER_CODE_PAGE = "/deputize/user-code"

#: Seconds since the person signed in, at most.
FRESH = 300


def user_code_page(context: Context) -> Blueprint:
    """Return the page on which people set their code."""
    pages = Blueprint("deputize_user_code", __name__)

    @pages.get(USER_CODE_PAGE)
    def shown() -> Response:
        me = context.host.current_person()
        if me is None:
            return see_other(sign_in_url(context, USER_CODE_PAGE))
        return _form(context, me) if _is_fresh(context) else _sign_in_anew(context, me)

    @pages.post(USER_CODE_PAGE)
    def changed() -> Response:
        me = context.host.current_person()
        if me is None:
            return see_other(sign_in_url(context, USER_CODE_PAGE))
        if not is_own_form():
            return see_other(url_for(".shown"))
        if not _is_fresh(context):
            return _sign_in_anew(context, me)
        try:
            _change(context.db, me)
        except Refusal as refusal:
            return _form(context, me, refusal.text)
        return see_other(url_for(".shown"))

    return pages


def _change(db: Database, me: Person) -> None:
    """:raises Refusal: `user_code.malformed`"""
    if request.form.get("press") == "remove":
        remove_user_code(db, me.key)
    else:
        set_user_code(db, me.key, request.form.get("code", ""))


def _is_fresh(context: Context) -> bool:
    authentication = context.host.authentication()
    auth_time = authentication.auth_time if authentication else None
    with context.db.read() as tx:
        return auth_time is not None and tx.now - auth_time <= FRESH


def _form(context: Context, me: Person, problem: str = "") -> Response:
    with context.db.read() as tx:
        set_at = find_set_at(tx, me.key)
        told = since_tag(set_at, tx.now) if set_at else NOTHING
    page = UserCodePage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        action=url_for(".shown"),
        set_at=told,
        problem=problem,
        shortest=SHORTEST,
        longest=LONGEST,
    )
    return render("user_code.html", page, status=400 if problem else 200)


def _sign_in_anew(context: Context, me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        title="Sign in again to see your code for agents",
        state=State.WAITING,
        sentences=("This needs a sign-in of a moment ago.", "Nothing was changed."),
        onward=(
            Onward(sign_in_url(context, USER_CODE_PAGE), "Sign in"),
            Onward(url_for("deputize_agents.agents"), "Agents acting for me"),
        ),
    )
    return render("message.html", page, status=403)
