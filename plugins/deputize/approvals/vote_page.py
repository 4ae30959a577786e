"""Where somebody whose word is asked for too says it: yes or no, and nothing less."""

from dataclasses import replace

from flask import Blueprint, Response, request, url_for

from ..core.refusal import Refusal
from ..delegation.context import Context
from ..delegation.liveness import Standing, find_standing
from ..delegation.persons import find_person_id
from ..host import Authentication, Person
from ..passkeys.ask import telling_refusals
from ..passkeys.challenge import Purpose
from ..web.shell import see_other
from .models import Approval
from .rules import asks_for_passkey, rules_of
from .said_back import APPROVALS_PAGE, answer_to, on_card
from .signing import ToSign, by_passkey, not_signed
from .vote import Vote, decided_with, find_asked

_MISSING = "It does not wait for you."


def add_vote(pages: Blueprint, context: Context) -> None:
    """Add what the form of such a card posts to, and the page on which it is signed."""

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>/vote")
    def voted(approval_id: str) -> Response:
        return on_card(context, approval_id, find_asked, _MISSING, _vote)

    @pages.post(f"{APPROVALS_PAGE}/<approval_id>/vote/signed")
    def vote_signed(approval_id: str) -> Response:
        return on_card(context, approval_id, find_asked, _MISSING, _signed)


def subject_of(context: Context, standing: Standing | None) -> str:
    """Return what the person is called on whose behalf this is."""
    found = context.host.find_person(standing.subject) if standing else None
    return found.name if found else "somebody"


def _vote(context: Context, me: Person, card: Approval) -> Response:
    pressed, shown = request.form.get("decision"), request.form.get("shown", "")
    if pressed not in ("approve", "deny"):
        return see_other(url_for(".approvals"))
    if pressed == "approve" and _takes_passkey(context, card):
        return _ask_to_sign(context, me, card)
    told = context.host.authentication() or Authentication()
    vote = Vote(card, shown, me, told, is_yes=pressed == "approve")
    return answer_to(context, me, vote.cast(context))


def _takes_passkey(context: Context, card: Approval) -> bool:
    with context.db.read() as tx:
        catalogue = context.moment(tx).catalogue
    rules = rules_of(catalogue, card.granted_scope & card.adding)
    return asks_for_passkey(rules, context.settings.approvals.passkey_acr)


def _ask_to_sign(context: Context, me: Person, card: Approval) -> Response:
    with context.db.read() as tx:
        asking, standing = decided_with(tx, card), find_standing(tx, card.delegation_id)
    subject = subject_of(context, standing)
    granted = tuple(map(_as_granted, asking))
    action = url_for(".vote_signed", approval_id=card.id)
    return _to_sign(context, me, card).ask(context, me, granted, action, subject=subject)


def _as_granted(one: Approval) -> Approval:
    lifetime = one.granted_lifetime or one.lifetime
    return replace(one, scope=one.granted_scope, details=one.granted_details, lifetime=lifetime)


def _to_sign(context: Context, me: Person, card: Approval) -> ToSign:
    """Return what is signed: what the person has decided, as it stands since then."""
    with context.db.read() as tx:
        voter_id = find_person_id(tx, me.key)
    return ToSign(voter_id, Purpose.VOTE, card.id, card.decision_hash or "")


def _signed(context: Context, me: Person, card: Approval) -> Response:
    to_sign = _to_sign(context, me, card)
    try:
        with telling_refusals(context.db, to_sign.person_id):
            signed, told = to_sign.hear(context), by_passkey(context)
            vote = Vote(card, request.form.get("shown", ""), me, told, True, signed)
            outcome = vote.cast(context)
    except Refusal as refusal:
        return not_signed(me, refusal)
    return answer_to(context, me, outcome)
