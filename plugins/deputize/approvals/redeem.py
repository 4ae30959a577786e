"""What was decided becomes a token (CIBA Core §10): once, and for what was granted.

The elevated token is a node of its own under the asker's.
"""

from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import select, update

from ..catalogue.models import Scope
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import new_id
from ..delegation.attenuation import Asked
from ..delegation.details import is_binding, of_scope
from ..delegation.issue import (
    Decision,
    Mint,
    Overtaken,
    Write,
    mint_delegated,
    token_lifetime,
)
from ..delegation.liveness import Standing, is_unchanged
from ..delegation.narrow import chain_ceiling, current_agent, elevate, live_standing
from ..delegation.node import Delegation
from ..delegation.quotas import ELEVATED, drawing
from ..delegation.single_use import is_for_one_use, make_single_use
from ..host import Authentication
from .approvers import Ballot, ballots_of, entitled, excluded_from, is_quorum, needed_by
from .models import Approval, Status, approval
from .rules import believed, can_be_approved, is_strong_enough, rules_of, what_is_added


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
            started_at=standing.started_at,
            deadline=standing.deadline,
            is_still_so=is_still_so,
            new_nodes=(node,),
            writes=(
                partial(_redeem, card=card, node=node, jti=self.jti, until=until),
                drawing(ELEVATED, standing, decision.context.settings),
                *store,
            ),
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


def _granted(decision: Decision, card: Approval, node: Delegation) -> Asked:
    """Return what the yes still gives: nothing that the person was not asked to add.

    What they were asked about is held to its rules whether or not it would be added by now.

    :raises Refusal: `approval.denied`, where that is nothing, or the rules ask for more by now
    """
    moment, details = decision.moment, card.granted_details
    adding = what_is_added(card.granted_scope, details, node, moment.rules)
    granted = card.granted_scope - (adding - card.adding)
    rules, server = rules_of(moment.catalogue, granted & card.adding), moment.catalogue.servers
    strong = is_strong_enough(rules, _believed(decision, card), card.decided_at or 0)
    good = card.target in server and can_be_approved(rules, server[card.target])
    good = good and _is_seconded(decision, card, rules)
    good = good and is_binding(details, card.granted_scope, moment.rules.types)
    if not rules or not strong or not good:
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
