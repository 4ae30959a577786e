"""The approval API: an organisation's own app shows the cards, and brings the person's word.

By the person's own token of the host, with the scope `approvals`: never one with `act`. What
is decided is what was shown: a `content_hash` that is no longer the card's changes nothing.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from authlib.consts import default_json_headers

from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.values import words
from ..delegation.answers import answer_to
from ..delegation.context import Context
from ..delegation.details import Details
from ..delegation.liveness import find_standings_of
from ..host import PersonToken
from ..oauth.errors import InvalidAuthorizationDetailsError
from ..oauth.rfc9396 import validate_details
from ..oauth.server import Answer
from .decide import Outcome, decide
from .find_cards import Card, find_card, open_cards, shown
from .grant_less import Yes, grant_less
from .inbox import READ
from .models import Approval
from .vote import Vote, cards_asked_of, find_asked

APPROVALS_ENDPOINT = "/deputize/api/approvals"

#: RFC 9470 §3.
_TOO_WEAK = "insufficient_user_authentication"

_OUTCOMES = {
    Outcome.CHANGED: (409, "changed", "The card is not what it was when it was shown."),
    Outcome.OVER: (410, "expired_token", "It can not be decided any more."),
    Outcome.FORBIDDEN: (403, "access_denied", "The organisation's policy does not allow this."),
}


def answer_approvals(
    context: Context, method: str, approval_id: str, headers: Mapping[str, str], body: Any
) -> Answer:
    """Answer a request: GET lists what waits, POST decides one.

    :param approval_id: empty for the list
    :param body: of a POST, as JSON; None where it is none
    """
    try:
        asker = _asker(context, headers)
        if method == "GET" and not approval_id:
            return _answer(200, _list(context, asker))
        return _decide(context, asker, approval_id, body)
    except Refusal as refusal:
        context.tally.count(refusal.rule)
        return Answer(*answer_to(refusal)())


def _asker(context: Context, headers: Mapping[str, str]) -> PersonToken:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    asker = context.host.person_from_token(token.strip()) if scheme.lower() == "bearer" else None
    if asker is None or not context.host.is_active(asker.person.key):
        raise Refusal("person_token.not_good", "A token of the person's own is required.")
    if "approvals" not in asker.scope:
        raise Refusal("person_token.scope", "The token is not for approvals.")
    return asker


def _list(context: Context, asker: PersonToken) -> list[dict[str, Any]]:
    with context.db.read() as tx:
        cards = open_cards(tx, asker.person.key, READ)
        votes = cards_asked_of(tx, asker.person, READ)
        hanging_on = {one.delegation_id for one in chain(*cards, *votes)}
        standings, now = find_standings_of(tx, hanging_on), tx.now
    told = map(_told, shown(cards, standings, now))
    return [*told, *map(_told_to_second, shown(votes, standings, now))]


def _told(asking: Card) -> dict[str, Any]:
    card = asking[0]
    also = [_asker_told(one) for one in asking[1:]]
    return {
        "id": card.id,
        "content_hash": card.content_hash,
        "agent": card.client_id,
        "chain": list(card.chain),
        "scope": " ".join(sorted(card.scope)),
        "authorization_details": card.details,
        "held": " ".join(sorted(card.held)),
        "resource": card.target,
        "binding_message": card.binding_message,
        "expires_in": card.lifetime,
        "expires_at": min(one.expires_at for one in asking),
    } | ({"also_asking": also} if also else {})


def _asker_told(one: Approval) -> dict[str, Any]:
    """Tell who else asks the same: one answer is for all of them."""
    return {
        "agent": one.client_id,
        "chain": list(one.chain),
        "binding_message": one.binding_message,
    }


def _told_to_second(asking: Card) -> dict[str, Any]:
    """Tell what somebody else has said yes to, and asks this person's word for."""
    card = asking[0]
    decided = {
        "content_hash": card.decision_hash,
        "scope": " ".join(sorted(card.granted_scope)),
        "authorization_details": card.granted_details,
        "expires_in": card.granted_lifetime,
    }
    return _told(asking) | decided | {"seconds": True}


def _decide(context: Context, asker: PersonToken, approval_id: str, body: Any) -> Answer:
    said = body if isinstance(body, dict) else {}
    with context.db.read() as tx:
        asked = find_asked(tx, approval_id, asker.person)
        card = asked or _find(tx, approval_id, asker)
    if asked is not None:
        return _second(context, asked, asker, said)
    yes = _yes(context, card, asker, said) if said.get("decision") == "approve" else None
    if said.get("decision") not in ("approve", "deny"):
        raise Refusal("decision.malformed", "decision is approve or deny.")
    content_hash = said.get("content_hash")
    outcome = decide(context, card, content_hash if isinstance(content_hash, str) else "", yes)
    return _answer_to(context, card, outcome, said)


def _second(
    context: Context, card: Approval, asker: PersonToken, said: Mapping[str, Any]
) -> Answer:
    """Take a vote: yes or no to all of it."""
    shown, decision = said.get("content_hash"), said.get("decision")
    if decision not in ("approve", "deny") or said.keys() - {"content_hash", "decision"}:
        raise Refusal("decision.malformed", "decision is approve or deny, of all of it.")
    seen = shown if isinstance(shown, str) else ""
    word = Vote(card, seen, asker.person, asker.authentication, decision == "approve")
    return _answer_to(context, card, word.cast(context), said)


def _answer_to(
    context: Context, card: Approval, outcome: Outcome, said: Mapping[str, Any]
) -> Answer:
    if outcome is Outcome.DONE:
        told = "approved" if said.get("decision") == "approve" else "denied"
        return _answer(200, {"id": card.id, "status": told})
    if outcome is Outcome.SIGN_IN:
        return _too_weak(context, card)
    status, error, description = _OUTCOMES[outcome]
    return _answer(status, {"error": error, "error_description": description})


def _find(tx: Transaction, approval_id: str, asker: PersonToken) -> Approval:
    card = find_card(tx, approval_id, asker.person.key)
    if card is None:
        raise Refusal("decision.unknown", "There is no such card of this person.")
    return card


def _yes(context: Context, card: Approval, asker: PersonToken, said: Mapping[str, Any]) -> Yes:
    """Return what is granted: all of it, or what the members leave.

    :raises Refusal: `decision.*`, `details.*`
    """
    scope, seconds = said.get("scope"), said.get("expires_in", card.lifetime)
    for_task = said.get("for_task", False)
    if not isinstance(scope, str | None) or type(seconds) is not int or seconds < 1:
        raise Refusal("decision.malformed", "scope is text, expires_in a number of seconds.")
    if not isinstance(for_task, bool):
        raise Refusal("decision.malformed", "for_task is true or false.")
    with context.db.read() as tx:
        types = context.moment(tx).catalogue.types
    return grant_less(
        card,
        types,
        asker.authentication,
        scope=None if scope is None else words(scope),
        details=_details(said.get("authorization_details")),
        lifetime=seconds,
        for_task=for_task,
    )


def _details(said: Any) -> Details | None:
    try:
        return None if said is None else validate_details(said)
    except InvalidAuthorizationDetailsError as error:
        raise Refusal("details.malformed", error.description or "") from None


def _too_weak(context: Context, card: Approval) -> Answer:
    """Answer that the person must sign in otherwise. :rfc:`9470#section-3`."""
    with context.db.read() as tx:
        scopes = context.moment(tx).catalogue.scopes
    rules = [scopes[name] for name in card.scope - card.held if name in scopes]
    acrs = " ".join(sorted({rule.acr for rule in rules if rule.acr}))
    ages = [rule.max_age for rule in rules if rule.max_age is not None]
    told = [f'error="{_TOO_WEAK}"', f'acr_values="{acrs}"' if acrs else ""]
    told += [f'max_age="{min(ages)}"'] if ages else []
    challenge = ("WWW-Authenticate", "Bearer " + ", ".join(filter(None, told)))
    return Answer(401, {"error": _TOO_WEAK}, [*default_json_headers, challenge])


def _answer(status: int, body: Any) -> Answer:
    return Answer(status, body, default_json_headers)
