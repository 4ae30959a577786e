"""An agent asks its person: one card, however often and however impatiently it asks.

What is asked for passes every rule but the person's own word first: a ceiling, a target or
a chain that says no is not put to anybody.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, insert, select

from ..agents.authenticate import Caller
from ..agents.models import Agent
from ..audit.record import Event, record
from ..catalogue.models import Scope
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest, new_id, new_secret
from ..core.values import Words, line
from ..delegation.attenuation import Asked
from ..delegation.context import Context, Reading
from ..delegation.details import read_details
from ..delegation.gates import Action, NeedsWord, act_on, pass_judges
from ..delegation.issue import Overtaken, locks_alone
from ..delegation.liveness import Standing, is_unchanged
from ..delegation.narrow import elevate
from ..delegation.node import Delegation
from ..delegation.persons import commitment, salt_of
from ..delegation.quotas import ELEVATED, require_left
from ..oauth.ciba import CIBA, PUSH
from .content import content_hash, request_hash
from .expect import expect, how_to_tell, tell_now
from .expire import expire
from .fatigue import too_many, validate_may_ask
from .merge import can_be_merged, find_same, joined
from .models import (
    Approval,
    Status,
    approval,
    approval_from_row,
    approval_to_row,
    auth_request,
)
from .repeat import find_repeated, repeat
from .rules import can_be_approved, rules_of, what_is_added
from .tell import tell_person

#: Seconds between two polls (CIBA Core §7.3), at first.
INTERVAL = 5

#: Seconds for which a card waits, at least: so that a person can read it.
SHORTEST = 30

#: Ids that are handed out for one card: asking again is free, and yet bounded.
MOST_IDS = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asks for.

    :param standing: the delegation that it holds, and shows a token for
    :param token_scope: of that token
    :param message: its own words to the person
    :param requested_expiry: seconds in which it wants an answer; None for the usual time
    :param notification_token: by which it knows a notification; None where it will poll
    """

    agent: Agent
    standing: Standing
    token_scope: Words
    asked: Asked
    message: str
    requested_expiry: int | None = None
    notification_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the client is told. CIBA Core §7.3: who is pushed to has no interval."""

    auth_req_id: str
    expires_in: int
    interval: int | None = INTERVAL

    def to_response(self) -> dict[str, Any]:
        told = {"auth_req_id": self.auth_req_id, "expires_in": self.expires_in}
        return told if self.interval is None else told | {"interval": self.interval}


def open_approval(context: Context, caller: Caller, reading: Reading, question: Question) -> Opened:
    """Put the question to the person, or find the card that waits already.

    The caller's assertion is used up with it.

    :raises Refusal: `scope.*`, `target.*`, `chain.*`: what no approval would change;
        `approval.*`: nobody is asked this, or not now
    :raises Overtaken: when what it was judged on has changed
    """
    opened = _approval(context, reading, question)
    # Whoever counts the open cards of a person does so alone.
    with context.db.write(locks_alone(question.standing.node)) as tx:
        if not is_unchanged(question.standing, tx):
            raise Overtaken
        caller.spend(tx)
        card = _find_open(tx, opened.request_hash)
        card = card or _store(context, reading, tx, question, opened)
        return _hand_out(context, tx, card, question)


def _approval(context: Context, reading: Reading, question: Question) -> Approval:
    node, moment = question.standing.node, reading.moment
    if question.asked.target not in moment.catalogue.servers:
        raise Refusal("target.unknown", "That resource is not known here.")
    changes = elevate(
        reading.tx, question.agent, node, question.token_scope, question.asked, moment.rules
    )
    scope: Words = changes["scope"]  # type: ignore[assignment]
    details = read_details(changes["details"])  # type: ignore[arg-type]
    adding = what_is_added(scope, details, node, moment.rules)
    node_asked = node.child(new_id(), moment.now, **changes)
    if _is_doubted(context, reading, question, node_asked):
        # The person's word is wanted on all of it, held or not.
        adding = scope
    rules = rules_of(moment.catalogue, adding)
    if not rules:
        raise Refusal("approval.not_needed", "Nothing of that needs the person's approval.")
    require_left(reading.tx, ELEVATED, question.standing, context.settings)
    server = moment.catalogue.servers[question.asked.target]
    if not can_be_approved(rules, server):
        raise Refusal("approval.not_offered", "That scope cannot be approved here yet.")
    longest = context.settings.approvals.lifetime
    wanted = max(SHORTEST, min(question.requested_expiry or longest, longest))
    until = min(moment.now + wanted, node.expires_at, question.standing.deadline)
    opened = Approval(
        id=new_id(),
        person_id=node.person_id,
        client_id=question.agent.client_id,
        delegation_id=node.id,
        root_agent=node.chain[0],
        task_id=node.task_id,
        chain=node.chain,
        scope=scope,
        details=details,
        held=scope - adding,
        target=question.asked.target,
        binding_message=question.message,
        lifetime=_lifetime(context, rules),
        request_hash="",
        content_hash="",
        status=Status.PENDING,
        created_at=moment.now,
        expires_at=until,
    )
    hashed = replace(opened, request_hash=request_hash(opened))
    return replace(hashed, content_hash=content_hash([hashed]))


def _is_doubted(context: Context, reading: Reading, question: Question, node: Delegation) -> bool:
    """Tell whether a judge asks for the person's word on what needs none by itself.

    :raises Refusal: what a judge refuses, whatever the person would say
    """
    if not context.judges:
        return False
    standing = question.standing
    act = act_on(Action.ISSUE, node, standing.started_at, standing.deadline, CIBA)
    pass_judges(context.judges, reading, replace(act, is_approved=True))
    try:
        pass_judges(context.judges, reading, act)
    except NeedsWord:
        return True
    except Refusal:
        # Whoever writes a rule on what was not approved is content with what was.
        return False
    return False


def _lifetime(context: Context, rules: list[Scope]) -> int:
    limits = [rule.token_lifetime for rule in rules if rule.token_lifetime]
    return min([context.settings.tokens.lifetime, *limits])


def _find_open(tx: Transaction, request_hash: str) -> Approval | None:
    same = select(approval).where(
        approval.c.request_hash == request_hash,
        approval.c.status == Status.PENDING,
    )
    row = tx.execute(same).mappings().first()
    return approval_from_row(row) if row and tx.now < row["expires_at"] else None


def _store(
    context: Context, reading: Reading, tx: Transaction, question: Question, opened: Approval
) -> Approval:
    repeated = find_repeated(tx, reading.moment.catalogue, opened)
    if repeated is not None:
        validate_may_ask(tx, opened, context.settings.approvals, is_new=False)
        return repeat(tx, opened, *repeated)
    may_join = can_be_merged(reading.moment.catalogue, opened)
    card = find_same(tx, opened, question.standing.node) if may_join else ()
    validate_may_ask(tx, opened, context.settings.approvals, is_new=not card)
    if card:
        opened = joined(tx, card, opened)
    # Only one card of the same question may wait: this one has not been found to.
    expire(tx, approval.c.request_hash == opened.request_hash)
    tx.execute(insert(approval), approval_to_row(opened))
    record(
        tx,
        Event(
            "approval.opened",
            person_id=opened.person_id,
            agent=opened.client_id,
            task_id=opened.task_id,
            delegation_id=opened.delegation_id,
            chain=opened.chain,
            facts={
                "approval_id": opened.id,
                "scope": line(opened.scope),
                "aud": opened.target,
                "content": commitment(salt_of(tx, opened.person_id), opened.content_hash),
                "asks_with": [other.id for other in card],
            },
        ),
    )
    tell_person(context, tx, opened, is_new=not card)
    return opened


def _hand_out(context: Context, tx: Transaction, card: Approval, question: Question) -> Opened:
    asked = select(func.count()).where(auth_request.c.approval_id == card.id)
    if tx.execute(asked).scalar_one() >= MOST_IDS:
        raise too_many()
    secret = new_secret()
    row: dict[str, Any] = {
        "digest": digest(secret),
        "approval_id": card.id,
        "client_id": card.client_id,
        "expires_at": card.expires_at,
        "interval": INTERVAL,
        "polled_at": None,
    } | how_to_tell(context.box, question.agent, question.notification_token, secret)
    tx.execute(insert(auth_request), row)
    expect(tx, row)
    if card.status == Status.APPROVED:
        tell_now(tx, [card.id])
    interval = None if row["delivery_mode"] == PUSH else INTERVAL
    return Opened(secret, card.expires_at - tx.now, interval)
