"""Add a passkey: sign in anew, use one that counts where there is one, then make the new one.

Else an agent at a person's browser could enrol a key of its own, and approve itself with it.
"""

from flask import Blueprint, Response, request, url_for

from ..core.refusal import Refusal
from ..delegation.context import Context
from ..delegation.persons import find_person_id
from ..host import Person
from ..passkeys.ask import ask, hear, telling_refusals
from ..passkeys.challenge import Challenge, Purpose
from ..passkeys.enrol import ask_to_enrol, enrol
from ..passkeys.fresh import freshly
from ..passkeys.models import passkeys_of
from ..passkeys.relying_party import Assertion, relying_party
from ..web.pages import MessagePage, Onward, PasskeyPage, Signing, State
from ..web.shell import is_own_form, render, see_other

PASSKEYS_PAGE = "/deputize/passkeys"
_NEW = f"{PASSKEYS_PAGE}/new"


def add_passkey(pages: Blueprint, context: Context) -> None:
    """Add the pages on which a passkey is added."""

    @pages.get(_NEW)
    def new() -> Response:
        return freshly(context, _NEW, lambda me: _show(context, me))

    @pages.post(_NEW)
    def shown() -> Response:
        if not is_own_form():
            return see_other(url_for(".new"))
        return freshly(context, _NEW, lambda me: _shown(context, me))

    @pages.post(PASSKEYS_PAGE)
    def made() -> Response:
        if not is_own_form():
            return see_other(url_for(".new"))
        return freshly(context, _NEW, lambda me: _made(context, me))


def came_to_nothing(me: Person, why: str) -> Response:
    """Answer that a passkey was not believed, or what it signed came too late."""
    page = MessagePage(
        person=me.name,
        title="Nothing was changed",
        state=State.REFUSED,
        sentences=(why, "Please begin again."),
        onward=(Onward(url_for("deputize_passkeys.passkeys"), "Your passkeys"),),
    )
    return render("message.html", page, status=400)


def person_id_of(context: Context, me: Person) -> str | None:
    """Return our id of who is signed in, if there is one yet."""
    with context.db.read() as tx:
        return find_person_id(tx, me.key)


def _show(context: Context, me: Person) -> Response:
    person_id = person_id_of(context, me)
    asked = Challenge(person_id or "", Purpose.SHOW)
    options = ask(context, asked)
    if options is None:
        return _make(context, me, None)
    page = PasskeyPage(
        person=me.name,
        title="First, use a passkey that you have",
        sentences=("A new one is added by who can use one that counts already.",),
        press="Use my passkey",
        cancel_url=url_for(".passkeys"),
        action=url_for(".shown"),
        hidden={"nonce": asked.nonce, "credential": ""},
        signing=Signing("get", options),
    )
    return render("passkey.html", page)


def _shown(context: Context, me: Person) -> Response:
    person_id = person_id_of(context, me)
    try:
        with telling_refusals(context.db, person_id):
            asked = Challenge(person_id or "", Purpose.SHOW, nonce=request.form.get("nonce", ""))
            signed = hear(context, asked, request.form.get("credential", ""))
            return _make(context, me, signed)
    except Refusal as refusal:
        return came_to_nothing(me, refusal.text)


def _make(context: Context, me: Person, signed: Assertion | None) -> Response:
    asked = ask_to_enrol(context, me.key, signed)
    with context.db.read() as tx:
        known = passkeys_of(tx, asked.person_id)
    options = relying_party(context.settings).creation_options(asked, me.name, known)
    page = PasskeyPage(
        person=me.name,
        title="Add a passkey",
        sentences=(
            "It is made on your device, or on a security key.",
            "Nothing can be signed with it but by you: it asks for your finger, face or PIN.",
        ),
        asks_for_name=True,
        press="Make a passkey",
        cancel_url=url_for(".passkeys"),
        action=url_for(".made"),
        hidden={"nonce": asked.nonce, "credential": ""},
        signing=Signing("create", options),
    )
    return render("passkey.html", page)


def _made(context: Context, me: Person) -> Response:
    person_id = person_id_of(context, me)
    try:
        with telling_refusals(context.db, person_id):
            asked = Challenge(person_id or "", Purpose.ENROL, nonce=request.form.get("nonce", ""))
            said = request.form.get("credential", "")
            made = relying_party(context.settings).verify_creation(said, asked)
            enrol(context, asked, made, request.form.get("name", ""))
    except Refusal as refusal:
        return came_to_nothing(me, refusal.text)
    return see_other(url_for(".passkeys"))
