"""What the client gets for a request that has been decided (CIBA Core §10.1.1, §10.3.1).

The token is made once; a repeat is told the same `jti`. However it reaches the client, this
is the one way to it.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ..agents.authenticate import Caller
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import new_id
from ..core.values import line
from ..delegation.answers import Answers
from ..delegation.claims import delegated_claims
from ..delegation.code import bearer_response, details_member
from ..delegation.context import Context, Reading
from ..delegation.gates import Action, act_on, pass_judges
from ..delegation.issue import issue
from ..delegation.keys import ACCESS_TOKEN_TYP
from ..delegation.liveness import Standing, find_standing, why_dead
from ..delegation.models import person
from ..delegation.single_use import is_for_one_use, replace_unused
from ..oauth.ciba import CIBA
from ..oauth.errors import ApprovalDeniedError
from .models import Approval, Status, approval, approval_from_row, auth_request
from .redeem import AlreadyRedeemed, Redemption

#: Seconds in which a repeat is a lost reply, and gets the same token again.
REPEATABLE = 30

ID_TOKEN_TYP = "JWT"  # noqa: S105 - a header's value (RFC 7519 §5.1)
#: When the delegation has ended meanwhile, nothing is granted any more.
CIBA_ANSWERS: Answers = {
    "delegation": ApprovalDeniedError,
    "details": ApprovalDeniedError,
    "person": ApprovalDeniedError,
    "policy": ApprovalDeniedError,
    "task": ApprovalDeniedError,
}

_NOT_GOOD = "The auth_req_id is not good."
_AUTH_REQ_ID = "urn:openid:params:jwt:claim:auth_req_id"


@dataclass(frozen=True, slots=True)
class Asking:
    """An `auth_req_id` as it was handed out, and the card that it stands for.

    :param subject: the person's `sub`
    :param delivery_mode: None where the client comes back for the answer
    """

    card: Approval
    subject: str
    digest: str
    interval: int
    polled_at: int | None
    delivery_mode: str | None
    notification_endpoint: str | None
    sealed: str | None


def find_asking(tx: Transaction, digest: str) -> Asking | None:
    """Return the request whose id has this digest."""
    names = [c for c in auth_request.c if c.name in Asking.__slots__]
    by_digest = (
        select(approval, person.c.host_key, *names)
        .join(auth_request, auth_request.c.approval_id == approval.c.id)
        .join(person, person.c.id == approval.c.person_id)
        .where(auth_request.c.digest == digest)
    )
    row = tx.execute(by_digest).mappings().first()
    if row is None:
        return None
    told = {column.name: row[column] for column in names}
    return Asking(card=approval_from_row(row), subject=row["host_key"], **told)


def get_asking(tx: Transaction, digest: str, client_id: str) -> Asking:
    """Return the request whose id has this digest, if it is this client's.

    :raises Refusal: `ciba.unknown`
    """
    asked = find_asking(tx, digest)
    if asked is None or asked.card.client_id != client_id:
        # Another client's too: it disturbs nothing for the one that asked.
        raise Refusal("ciba.unknown", _NOT_GOOD)
    return asked


def collect(
    context: Context,
    caller: Caller,
    reading: Reading,
    asked: Asking,
    pushed_as: str | None = None,
) -> dict[str, Any]:
    """Return the token response for what is not waiting any more.

    :param pushed_as: the `auth_req_id`, where it is pushed: then it is told again for as
        long as the token lives
    :raises Refusal: `ciba.*`, `approval.denied`, and what a redemption refuses
    """
    collecting = _Collecting(context, caller, pushed_as)
    card = asked.card
    if card.status == Status.REDEEMED:
        return collecting.again(reading, asked)
    _require_granted(card, reading.moment.now)
    try:
        mint = issue(context, caller, reading, Redemption(card, new_id()).decide, CIBA)
    except AlreadyRedeemed:
        with context.reading(reading.known) as later:
            return collecting.again(later, get_asking(later.tx, asked.digest, caller.client_id))
    return collecting.told(reading, asked, bearer_response(mint), mint.expires_at)


@dataclass(frozen=True, slots=True)
class _Collecting:
    """One client that gets what was granted."""

    context: Context
    caller: Caller
    pushed_as: str | None

    def again(self, reading: Reading, asked: Asking) -> dict[str, Any]:
        """Return the same token to whoever lost the reply."""
        card, now = asked.card, reading.moment.now
        standing = find_standing(reading.tx, card.node_id or "")
        if standing is None or not self._may_repeat(standing, asked, now):
            raise Refusal("ciba.used", _NOT_GOOD)
        act = act_on(Action.ISSUE, standing.node, standing.started_at, standing.deadline, CIBA)
        pass_judges(self.context.judges, reading, act)
        with self.context.db.write() as tx:
            self.caller.spend(tx)
            opaque = replace_unused(tx, standing.node.id)
            if opaque is None and is_for_one_use(reading.moment.catalogue, standing.node.scope):
                raise Refusal("ciba.used", _NOT_GOOD)
        expires_at = card.token_expires_at or now
        claims = delegated_claims(
            self.context.issuer, asked.subject, standing.node, card.jti or "", now, expires_at
        )
        answer = {
            "access_token": opaque or reading.moment.keys.sign(claims, ACCESS_TOKEN_TYP, now),
            "token_type": "Bearer",
            "expires_in": expires_at - now,
            "scope": line(standing.node.scope),
            **details_member(standing.node.details),
        }
        return self.told(reading, asked, answer, expires_at)

    def _may_repeat(self, standing: Standing, asked: Asking, now: int) -> bool:
        is_lost_reply = now <= (asked.card.redeemed_at or 0) + REPEATABLE
        is_there = self.context.host.is_active(asked.subject)
        is_good = why_dead(standing, now) is None and is_there
        return is_good and (is_lost_reply or self.pushed_as is not None)

    def told(
        self, reading: Reading, asked: Asking, answer: dict[str, Any], expires_at: int
    ) -> dict[str, Any]:
        """Return the answer with who approved, and how they had signed in; no profile."""
        card, now = asked.card, reading.moment.now
        claims = {
            "iss": self.context.issuer,
            "sub": asked.subject,
            "aud": card.client_id,
            "iat": now,
            "exp": expires_at,
            "auth_time": card.auth_time,
            "acr": card.acr,
            "amr": list(card.amr) or None,
        } | self._tied_to(str(answer["access_token"]))
        told = {name: value for name, value in claims.items() if value is not None}
        return answer | {"id_token": reading.moment.keys.sign(told, ID_TOKEN_TYP, now)}

    def _tied_to(self, access_token: str) -> dict[str, Any]:
        """Return what ties a pushed ID token to what comes with it. CIBA Core §10.3.1.

        "at_hash" is the left half of the hash (OpenID Connect Core §3.1.3.6).
        """
        if self.pushed_as is None:
            return {}
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        return {"at_hash": at_hash, _AUTH_REQ_ID: self.pushed_as}


def _require_granted(card: Approval, now: int) -> None:
    if card.status in (Status.DENIED, Status.WITHDRAWN) or card.is_open(now):
        # Open, and asked no more: what it hung on has ended.
        raise Refusal("approval.denied", "The person said no.")
    if card.status != Status.APPROVED or now >= card.expires_at:
        raise Refusal("ciba.expired", "The request has expired.")
