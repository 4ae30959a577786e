"""The client comes back for what was decided (CIBA Core §10.1, §11): once, and for what was
granted. The elevated token is a node of its own under the asker's.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import select, update

from ..agents.authenticate import Caller, caller_of
from ..catalogue.models import Scope
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest, new_id
from ..core.values import line
from ..delegation.answers import Answers
from ..delegation.attenuation import Asked
from ..delegation.claims import delegated_claims
from ..delegation.code import bearer_response, details_member, issue_for
from ..delegation.context import Context, Reading
from ..delegation.details import of_scope
from ..delegation.issue import (
    Decision,
    Mint,
    Overtaken,
    Write,
    mint_delegated,
    token_lifetime,
)
from ..delegation.keys import ACCESS_TOKEN_TYP
from ..delegation.liveness import Standing, find_standing, is_unchanged, why_dead
from ..delegation.models import person
from ..delegation.narrow import chain_ceiling, current_agent, elevate, live_standing
from ..delegation.node import Delegation
from ..delegation.single_use import is_for_one_use, make_single_use, replace_unused
from ..host import Authentication
from ..oauth.ciba import CibaGrant
from ..oauth.errors import (
    ApprovalDeniedError,
    AuthorizationPendingError,
    SlowDownError,
    UnauthorizedClientError,
)
from .approvers import Ballot, ballots_of, entitled, excluded_from, is_quorum, needed_by
from .models import Approval, Status, approval, approval_from_row, auth_request
from .rules import believed, can_be_approved, is_strong_enough, rules_of, what_is_added

#: Seconds in which a repeat is a lost reply, and gets the same token again.
REPEATABLE = 30

#: Seconds that are added for whoever polls too often. CIBA Core §11.
_SLOWER = 5

ID_TOKEN_TYP = "JWT"  # noqa: S105 - a header's value (RFC 7519 §5.1)
#: When the delegation has ended meanwhile, nothing is granted any more.
CIBA_ANSWERS: Answers = {
    "delegation": ApprovalDeniedError,
    "details": ApprovalDeniedError,
    "person": ApprovalDeniedError,
    "task": ApprovalDeniedError,
}

_NOT_GOOD = "The auth_req_id is not good."


class AlreadyRedeemed(Exception):  # noqa: N818 - the other request's answer is given again
    """Another request for the same card was first."""


@dataclass(frozen=True, slots=True)
class Redemption:
    """One request for what was decided."""

    card: Approval
    jti: str

    def decide(self, decision: Decision) -> Mint:
        """Return the elevated token, on a node of its own.

        :raises AlreadyRedeemed: where another request was first
        :raises Refusal: `liveness`'s rules, `scope.*`
        """
        card = self.card
        if _status(decision.tx, card) != Status.APPROVED:
            raise AlreadyRedeemed
        standing = live_standing(decision, card.delegation_id)
        agent = current_agent(decision, standing.caller_revision, standing.subject)
        asked, rules = _granted(decision, card, standing.node), decision.moment.rules
        changes = elevate(decision.tx, agent, standing.node, standing.node.scope, asked, rules)
        node = self._node(decision, standing, changes)
        until = min(node.expires_at, standing.deadline)
        opaque, store = self._opaque(decision, node, until)

        def is_still_so(tx: Transaction) -> bool:
            # The chain's ceilings too: the row of the asker's node does not tell of them.
            within = node.scope <= chain_ceiling(tx, standing.node, agent)
            return within and is_unchanged(standing, tx)

        return mint_delegated(
            decision,
            node,
            subject=standing.subject,
            deadline=standing.deadline,
            is_still_so=is_still_so,
            new_nodes=(node,),
            writes=(partial(_redeem, card=card, node=node, jti=self.jti, until=until), *store),
            jti=self.jti,
            opaque=opaque,
        )

    def _opaque(
        self, decision: Decision, node: Delegation, until: int
    ) -> tuple[str | None, tuple[Write, ...]]:
        """Return the token that is good for one use, and what stores it; none for a JWT."""
        if not is_for_one_use(decision.moment.catalogue, node.scope):
            return None, ()
        token, write = make_single_use(node.id, self.jti, decision.moment.now, until)
        return token, (write,)

    def _node(
        self, decision: Decision, standing: Standing, changes: dict[str, object]
    ) -> Delegation:
        card, now = self.card, decision.moment.now
        node = standing.node.child(
            new_id(),
            now,
            **changes
            | {
                "approval_id": card.id,
                "auth_time": card.auth_time,
                "acr": card.acr,
                "amr": card.amr,
                "evidence_id": card.evidence_id,
            },
        )
        seconds = min(card.granted_lifetime or card.lifetime, token_lifetime(decision, node))
        # Nothing but this redemption finds it.
        return replace(node, lease_hash=None, expires_at=min(node.expires_at, now + seconds))


class AgentCibaGrant(CibaGrant):
    """The CIBA grant of agents."""

    context: Context

    def read_request(self) -> None:
        if caller_of(self.request).agent.is_public:
            raise UnauthorizedClientError(self.UNAUTHORIZED)
        super().read_request()

    def redeem(self, client: Caller, auth_req_id: str) -> dict[str, Any]:
        reading: Reading = self.request.reading  # type: ignore[attr-defined]
        asked = _find(reading.tx, auth_req_id, client.client_id)
        card, now = asked.card, reading.moment.now
        if card.status == Status.REDEEMED:
            return self._again(reading, client, asked)
        if card.is_open(now) and _is_alive(reading, card):
            self._not_yet(client, asked)
        _require_granted(card, now)
        try:
            mint = issue_for(self.request, self.context, Redemption(card, new_id()).decide)
        except AlreadyRedeemed:
            with self.context.reading() as later:
                return self._again(later, client, _find(later.tx, auth_req_id, client.client_id))
        id_token = self._id_token(reading, asked, mint.expires_at)
        return bearer_response(mint) | {"id_token": id_token}

    def _not_yet(self, client: Caller, asked: "Asking") -> None:
        """Note the poll, and say so. CIBA Core §11.

        :raises NotYetError: always
        """
        with self.context.db.write() as tx:
            client.spend(tx)
            is_soon = asked.polled_at is not None and tx.now - asked.polled_at < asked.interval
            values = {"polled_at": tx.now, "interval": asked.interval + _SLOWER * is_soon}
            this = auth_request.c.digest == asked.digest
            tx.execute(update(auth_request).where(this).values(**values))
        raise SlowDownError() if is_soon else AuthorizationPendingError()

    def _again(self, reading: Reading, client: Caller, asked: "Asking") -> dict[str, Any]:
        """Return the same token to whoever lost the reply a moment ago."""
        card, now = asked.card, reading.moment.now
        standing = find_standing(reading.tx, card.node_id or "")
        is_lost_reply = now <= (card.redeemed_at or 0) + REPEATABLE
        is_there = self.context.host.is_active(asked.subject)
        if standing is None or why_dead(standing, now) or not is_lost_reply or not is_there:
            raise Refusal("ciba.used", _NOT_GOOD)
        with self.context.db.write() as tx:
            client.spend(tx)
            opaque = replace_unused(tx, standing.node.id)
            if opaque is None and is_for_one_use(reading.moment.catalogue, standing.node.scope):
                raise Refusal("ciba.used", _NOT_GOOD)
        expires_at = card.token_expires_at or now
        claims = delegated_claims(
            self.context.issuer, asked.subject, standing.node, card.jti or "", now, expires_at
        )
        return {
            "access_token": opaque or reading.moment.keys.sign(claims, ACCESS_TOKEN_TYP, now),
            "token_type": "Bearer",
            "expires_in": expires_at - now,
            "scope": line(standing.node.scope),
            **details_member(standing.node.details),
            "id_token": self._id_token(reading, asked, expires_at),
        }

    def _id_token(self, reading: Reading, asked: "Asking", expires_at: int) -> str:
        """Return who approved, and how they had signed in; no profile. CIBA Core §10.1.1."""
        card = asked.card
        claims = {
            "iss": self.context.issuer,
            "sub": asked.subject,
            "aud": card.client_id,
            "iat": reading.moment.now,
            "exp": expires_at,
            "auth_time": card.auth_time,
            "acr": card.acr,
            "amr": list(card.amr) or None,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return reading.moment.keys.sign(told, ID_TOKEN_TYP, reading.moment.now)


@dataclass(frozen=True, slots=True)
class Asking:
    """An `auth_req_id` as it was handed out, and the card that it stands for.

    :param subject: the person's `sub`
    """

    card: Approval
    subject: str
    digest: str
    interval: int
    polled_at: int | None


def _find(tx: Transaction, auth_req_id: str, client_id: str) -> Asking:
    name = digest(auth_req_id)
    by_digest = (
        select(approval, person.c.host_key, auth_request.c.interval, auth_request.c.polled_at)
        .join(auth_request, auth_request.c.approval_id == approval.c.id)
        .join(person, person.c.id == approval.c.person_id)
        .where(auth_request.c.digest == name, auth_request.c.client_id == client_id)
    )
    row = tx.execute(by_digest).mappings().first()
    if row is None:
        # Another client's too: it disturbs nothing for the one that asked.
        raise Refusal("ciba.unknown", _NOT_GOOD)
    card = approval_from_row(row)
    return Asking(card, row["host_key"], name, row["interval"], row["polled_at"])


def _granted(decision: Decision, card: Approval, node: Delegation) -> Asked:
    """Return what the yes still gives: nothing that the person was not asked to add.

    :raises Refusal: `approval.denied`, where that is nothing, or the rules ask for more by now
    """
    moment, details = decision.moment, card.granted_details
    adding = what_is_added(card.granted_scope, details, node, moment.rules)
    granted = card.granted_scope - (adding - card.adding)
    rules, server = rules_of(moment.catalogue, adding & card.adding), moment.catalogue.servers
    strong = is_strong_enough(rules, _believed(decision, card), card.decided_at or 0)
    good = card.target in server and can_be_approved(rules, server[card.target])
    good = good and _is_seconded(decision, card, rules)
    # Without its type, or bound to another scope by now, a detail would bind nothing any more.
    bound = of_scope(details, card.granted_scope, moment.rules.types)
    if not rules or not strong or not good or len(bound) < len(details):
        raise Refusal("approval.denied", "What was approved is not to be had any more.")
    kept = of_scope(details, granted, moment.rules.types)
    return Asked(granted, card.target, kept or None)


def _is_seconded(decision: Decision, card: Approval, rules: list[Scope]) -> bool:
    """Tell whether all others whom the rules ask for have said yes, and still may."""
    needed = needed_by(rules)
    if not needed:
        return True
    said = ballots_of(decision.tx, card)
    closed_at = max((ballot.voted_at for ballot in said), default=0)
    strong = [
        ballot.key
        for ballot in said
        if is_strong_enough(rules, _believed(decision, ballot), ballot.voted_at)
    ]
    voters = entitled(decision.context.host, strong, excluded_from(decision.tx, [card]))
    return is_quorum(needed, voters, closed_at - (card.decided_at or 0))


def _believed(decision: Decision, said: Approval | Ballot) -> Authentication:
    """Return how who said yes had signed in then; a rule may ask for a passkey by now."""
    told = Authentication(said.auth_time, said.acr)
    passkey_acr = decision.context.settings.approvals.passkey_acr
    return believed(told, said.evidence_id is not None, passkey_acr)


def _status(tx: Transaction, card: Approval) -> str:
    return str(tx.execute(select(approval.c.status).where(approval.c.id == card.id)).scalar())


def _is_alive(reading: Reading, card: Approval) -> bool:
    return why_dead(find_standing(reading.tx, card.delegation_id), reading.moment.now) is None


def _require_granted(card: Approval, now: int) -> None:
    if card.status in (Status.DENIED, Status.WITHDRAWN) or card.is_open(now):
        # Open, and asked no more: what it hung on has ended.
        raise Refusal("approval.denied", "The person said no.")
    if card.status != Status.APPROVED or now >= card.expires_at:
        raise Refusal("ciba.expired", "The request has expired.")


def _redeem(tx: Transaction, *, card: Approval, node: Delegation, jti: str, until: int) -> None:
    approved = (approval.c.id == card.id) & (approval.c.status == Status.APPROVED)
    approved &= approval.c.expires_at > tx.now
    values = {
        "status": Status.REDEEMED,
        "redeemed_at": tx.now,
        "node_id": node.id,
        "jti": jti,
        "token_expires_at": until,
    }
    if tx.execute(update(approval).where(approved).values(**values)).rowcount != 1:
        raise Overtaken
