"""Your passkeys: what you sign with, and since when each counts."""

from datetime import timedelta

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup

from ..delegation.context import Context
from ..delegation.persons import find_person_id
from ..delegation.sign_in import sign_in_url
from ..passkeys.enrol import rename
from ..passkeys.models import Passkey, passkeys_of
from ..web.pages import NOTHING, PasskeyCard, PasskeysPage, State
from ..web.shell import is_own_form, render, see_other
from ..web.words import since_tag, span, until_tag
from .add_passkey import PASSKEYS_PAGE, add_passkey
from .drop_passkey import drop_passkey, find_own


def my_passkeys(context: Context) -> Blueprint:
    """Return the pages on which people keep their passkeys."""
    pages = Blueprint("deputize_passkeys", __name__)

    @pages.get(PASSKEYS_PAGE)
    def passkeys() -> Response:
        me = context.host.current_person()
        if me is None:
            return see_other(sign_in_url(context, PASSKEYS_PAGE))
        delay = context.settings.approvals.passkey_delay
        with context.db.read() as tx:
            mine, now = passkeys_of(tx, find_person_id(tx, me.key)), tx.now
        page = PasskeysPage(
            person=me.name,
            agents_url=url_for("deputize_agents.agents"),
            passkeys=tuple(_card(one, now) for one in mine),
            add_url=url_for(".new"),
            delay=f"after {span(timedelta(seconds=delay))}" if delay else "at once",
        )
        return render("passkeys.html", page)

    @pages.post(f"{PASSKEYS_PAGE}/<passkey_id>/name")
    def named(passkey_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return see_other(sign_in_url(context, PASSKEYS_PAGE))
        mine = find_own(context, me, passkey_id) if is_own_form() else None
        if mine is not None:
            rename(context, mine, request.form.get("name", ""))
        return see_other(url_for(".passkeys"))

    add_passkey(pages, context)
    drop_passkey(pages, context)
    return pages


def _card(mine: Passkey, now: int) -> PasskeyCard:
    counts = mine.counts(now)
    waits = Markup("does not count {}").format(until_tag(mine.counts_from, now))
    return PasskeyCard(
        name=mine.name,
        state=State.ACTIVE if counts else State.WAITING,
        counts=Markup("counts for approvals") if counts else waits,
        added=since_tag(mine.created_at, now),
        used=since_tag(mine.last_used_at, now) if mine.last_used_at else NOTHING,
        rename_url=url_for(".named", passkey_id=mine.id),
        remove_url=url_for(".confirm", passkey_id=mine.id),
    )
