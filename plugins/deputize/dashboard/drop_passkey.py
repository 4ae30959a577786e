"""Remove a passkey: the page says first what is withdrawn with it.

One that counts is removed by who can use one that counts: else whoever is signed in for a
moment could clear the way for one of their own.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request, url_for

from ..approvals.withdraw import count_resting_on
from ..core.refusal import Refusal
from ..delegation.context import Context
from ..endings.remove_passkey import remove_own
from ..host import Person
from ..passkeys.ask import ask, hear, telling_refusals
from ..passkeys.challenge import Challenge, Purpose
from ..passkeys.fresh import freshly
from ..passkeys.models import Passkey, find_passkey
from ..passkeys.relying_party import Assertion
from ..web.pages import PasskeyPage, Signing
from ..web.shell import is_own_form, render, see_other
from ..web.words import count_of
from .add_passkey import PASSKEYS_PAGE, came_to_nothing, person_id_of

_GONE = "There is no such passkey of yours."

Act = Callable[[Context, Person, Passkey], Response]


def drop_passkey(pages: Blueprint, context: Context) -> None:
    """Add the pages on which a passkey is removed."""

    @pages.get(f"{PASSKEYS_PAGE}/<passkey_id>/remove")
    def confirm(passkey_id: str) -> Response:
        return _on(context, passkey_id, _confirm)

    @pages.post(f"{PASSKEYS_PAGE}/<passkey_id>/remove")
    def remove(passkey_id: str) -> Response:
        return _on(context, passkey_id, _remove if is_own_form() else _confirm)


def find_own(context: Context, me: Person, passkey_id: str) -> Passkey | None:
    """Return the passkey, if it is this person's and was not removed."""
    person_id = person_id_of(context, me)
    with context.db.read() as tx:
        found = find_passkey(tx, passkey_id)
    is_theirs = found is not None and found.person_id == person_id and found.removed_at is None
    return found if is_theirs else None


def _on(context: Context, passkey_id: str, act: Act) -> Response:
    def answer(me: Person) -> Response:
        mine = find_own(context, me, passkey_id)
        return act(context, me, mine) if mine else came_to_nothing(me, _GONE)

    return freshly(context, f"{PASSKEYS_PAGE}/{passkey_id}/remove", answer)


def _confirm(context: Context, me: Person, mine: Passkey) -> Response:
    with context.db.read() as tx:
        counts, resting = mine.counts(tx.now), count_resting_on(tx, mine.id)
    asked = Challenge(mine.person_id, Purpose.REMOVE, mine.id)
    options = ask(context, asked) if counts else None
    page = PasskeyPage(
        person=me.name,
        title="Remove this passkey?",
        about=mine.name,
        sentences=_what_ends(counts, resting),
        press="Remove it",
        cancel="Keep it",
        cancel_url=url_for(".passkeys"),
        action=url_for(".remove", passkey_id=mine.id),
        hidden={"nonce": asked.nonce, "credential": ""} if options else {},
        signing=Signing("get", options) if options else None,
    )
    return render("passkey.html", page)


def _what_ends(counts: bool, resting: int) -> tuple[str, ...]:
    verb = "is" if resting == 1 else "are"
    waits = f"{count_of(resting, 'approval')} that you gave with it {verb} withdrawn."
    return (
        "It signs nothing any more, and can't be added again.",
        *((waits,) if resting else ()),
        "What was already done stays done.",
        *(("To remove it, you use it, or another one that counts.",) if counts else ()),
    )


def _remove(context: Context, me: Person, mine: Passkey) -> Response:
    try:
        with telling_refusals(context.db, mine.person_id):
            remove_own(context.db, mine, _shown(context, mine))
    except Refusal as refusal:
        return came_to_nothing(me, refusal.text)
    return see_other(url_for(".passkeys"))


def _shown(context: Context, mine: Passkey) -> Assertion | None:
    """Return what was signed for the removal, where anything was."""
    said = request.form.get("credential")
    if not said:
        return None
    nonce = request.form.get("nonce", "")
    return hear(context, Challenge(mine.person_id, Purpose.REMOVE, mine.id, nonce=nonce), said)
