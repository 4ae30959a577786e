"""Reading the token that an exchange presents: what it is, and whose it is to exchange.

Who the parties are is checked before whether the token lives, so that the answer tells
an outsider nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.values import Words, words
from .context import Moment
from .keys import ACCESS_TOKEN_TYP
from .liveness import find_standing, is_own_token_live, why_dead

#: One text for whatever is wrong with who presents what: an outsider learns nothing.
NOT_YOURS = "The subject token is not one that this client may exchange."


@dataclass(frozen=True, slots=True)
class SubjectToken:
    """A verified access token of ours, of a person, with a current actor."""

    delegation_id: str
    actor: str
    audience: str
    scope: Words
    expires_at: int
    may_act: Mapping[str, Any] | None
    is_bound: bool

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> "SubjectToken | None":
        """Return the delegated token that says `claims`; None for one of nobody's delegation."""
        if "act" not in claims or "delegation_id" not in claims:
            return None
        return cls(
            delegation_id=claims["delegation_id"],
            actor=claims["act"]["sub"],
            audience=claims["aud"],
            scope=words(claims["scope"]),
            expires_at=claims["exp"],
            may_act=claims.get("may_act"),
            is_bound="cnf" in claims,
        )


def read_subject_token(token: str, moment: Moment, max_bytes: int) -> SubjectToken:
    """Return the delegated token that `token` is.

    A login token, an ID token, or an agent's own token is nobody's delegation.

    :raises Refusal: `subject.not_ours`, `subject.no_delegation`
    """
    claims = moment.keys.verify(token, ACCESS_TOKEN_TYP) if len(token) <= max_bytes else None
    if claims is None:
        raise Refusal("subject.not_ours", NOT_YOURS)
    subject = SubjectToken.from_claims(claims)
    if subject is None:
        raise Refusal("subject.no_delegation", NOT_YOURS)
    return subject


def require_party(subject: SubjectToken, client_id: str, issuer: str) -> None:
    """Refuse anyone but the current actor, or the agent that it handed over to.

    A bearer's mere possession is never enough. `may_act` "makes a statement that one
    party is authorized to become the actor" (RFC 8693 §4.4): it restricts wherever it
    stands, matched by (`iss`, `sub`).

    :raises Refusal: `subject.may_act`, `subject.not_the_actor`
    """
    if subject.may_act is not None:
        if (subject.may_act.get("iss"), subject.may_act.get("sub")) != (issuer, client_id):
            raise Refusal("subject.may_act", NOT_YOURS)
    elif subject.actor != client_id:
        raise Refusal("subject.not_the_actor", NOT_YOURS)


def require_own_actor_token(
    tx: Transaction, token: str, client_id: str, moment: Moment, max_bytes: int
) -> None:
    """Refuse an `actor_token` that is not the client's own: nobody vouches for someone else.

    Nothing of its own chain enters the result.

    :raises Refusal: `actor.not_its_own`, `actor.not_live`
    """
    claims = moment.keys.verify(token, ACCESS_TOKEN_TYP) if len(token) <= max_bytes else None
    if claims is None or claims["client_id"] != client_id or "may_act" in claims:
        raise Refusal("actor.not_its_own", "The actor token is not the client's own.")
    if moment.now >= claims["exp"] or not _is_live(tx, claims, moment.now):
        raise Refusal("actor.not_live", "The actor token is not good any more.")


def _is_live(tx: Transaction, claims: Mapping[str, Any], now: int) -> bool:
    if "delegation_id" not in claims:
        return is_own_token_live(tx, claims, now)
    return why_dead(find_standing(tx, claims["delegation_id"]), now) is None
