"""The page of a person's browsers: add this one, remove any. And the service worker's script.

The script stands where its scope begins: it has no say about pages of the host.
"""

from flask import Blueprint, Response, request, send_from_directory, url_for

from ..core.refusal import Refusal
from ..core.vapid import public_key
from ..delegation.context import Context
from ..delegation.persons import find_person_id
from ..delegation.sign_in import sign_in_url
from ..host import Person
from ..web.pages import NOTHING, BrowserCard, BrowsersPage
from ..web.shell import STATIC, is_own_form, render, see_other
from ..web.words import since_tag
from .add import NAME_LENGTH, add_browser
from .application_server import ApplicationServer
from .models import Browser, browsers_of
from .remove import remove_own

BROWSERS_PAGE = "/deputize/browsers"
WORKER = "/deputize/worker.js"


def browsers_page(context: Context, server: ApplicationServer) -> Blueprint:
    """Return the page on which people say which browsers tell them."""
    pages = Blueprint("deputize_browsers", __name__)

    @pages.get(BROWSERS_PAGE)
    def browsers() -> Response:
        me = context.host.current_person()
        return _sign_in(context) if me is None else _show(server, me)

    @pages.post(BROWSERS_PAGE)
    def added() -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        if is_own_form():
            said, name = request.form.get("subscription", ""), request.form.get("name", "")
            try:
                add_browser(server, me.key, said, name)
            except Refusal as refusal:
                return _show(server, me, refusal.text)
        return see_other(url_for(".browsers"))

    @pages.post(f"{BROWSERS_PAGE}/<browser_id>/remove")
    def removed(browser_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        if is_own_form():
            with server.db.read() as tx:
                person_id = find_person_id(tx, me.key)
            remove_own(server.db, person_id, browser_id)
        return see_other(url_for(".browsers"))

    pages.add_url_rule(WORKER, "worker", _worker)
    return pages


def _sign_in(context: Context) -> Response:
    return see_other(sign_in_url(context, BROWSERS_PAGE))


def _show(server: ApplicationServer, me: Person, problem: str = "") -> Response:
    with server.db.read() as tx:
        mine, now = browsers_of(tx, find_person_id(tx, me.key)), tx.now
    page = BrowsersPage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        notifications_url=url_for("deputize_notifications.shown"),
        browsers=tuple(_card(one, now) for one in mine),
        action=url_for(".added"),
        worker_url=url_for(".worker"),
        key=public_key(server.key()),
        problem=problem,
        longest=NAME_LENGTH,
    )
    return render("browsers.html", page, status=400 if problem else 200)


def _card(mine: Browser, now: int) -> BrowserCard:
    return BrowserCard(
        name=mine.name,
        added=since_tag(mine.created_at, now),
        told=since_tag(mine.last_sent_at, now) if mine.last_sent_at else NOTHING,
        remove_url=url_for(".removed", browser_id=mine.id),
    )


def _worker() -> Response:
    script = send_from_directory(STATIC, "worker.js", mimetype="text/javascript")
    script.headers["Cache-Control"] = "no-cache"
    script.headers["X-Content-Type-Options"] = "nosniff"
    script.headers["Content-Security-Policy"] = "default-src 'none'"
    return script
