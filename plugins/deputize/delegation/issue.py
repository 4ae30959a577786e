"""The one mint: every token that the plugin hands out is made and recorded here.

A grant decides on what it reads, outside any lock, and its token is signed there. Then,
in one short transaction under the locks, what it read is looked at again; if it still
stands, the client's assertion, the new nodes and the event are committed together. If
it does not, the grant decides anew.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Table, insert

from ..agents.authenticate import Caller
from ..agents.models import Agent
from ..audit.record import Event, record
from ..core.db import Kind, Lock, Transaction, insert_unless_present
from ..core.secrets import digest, new_id, new_secret
from ..core.values import Words, line
from ..core.versions import read_versions
from .claims import delegated_claims, own_claims
from .context import Context, Moment, Reading, contended
from .gates import Act, Action, act_on, pass_judges
from .keys import ACCESS_TOKEN_TYP
from .models import delegation, delegation_to_row, spawn_token
from .node import Delegation
from .quotas import draw

#: Decisions that were overtaken before one is given up: each needs a change in between.
ATTEMPTS = 5

SPAWN_TOKEN_PREFIX = "dspw_"  # noqa: S105 - tells whose token it is, before any look-up
REFRESH_TOKEN_PREFIX = "drft_"  # noqa: S105 - likewise

Write = Callable[[Transaction], None]


class Overtaken(Exception):  # noqa: N818 - not an error: decide again
    """What the decision was made on has changed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision in the making: who asks, and what is read for it at one moment."""

    context: Context
    caller: Caller
    reading: Reading
    grant_type: str

    @property
    def tx(self) -> Transaction:
        return self.reading.tx

    @property
    def moment(self) -> Moment:
        return self.reading.moment


@dataclass(frozen=True, slots=True)
class Mint:
    """What a grant decided, with the token already made.

    :param expires_at: NumericDate of the token
    :param is_still_so: reads again, under the locks, what the decision was made on
    :param writes: what is stored with it, in this order
    """

    caller: Caller
    moment: Moment
    token: str
    scope: Words
    details: str | None
    expires_at: int
    event: Event
    locks: tuple[Lock, ...]
    is_still_so: Callable[[Transaction], bool]
    writes: tuple[Write, ...] = ()
    refresh_token: str | None = None

    @property
    def expires_in(self) -> int:
        return self.expires_at - self.moment.now


def issue(
    context: Context,
    caller: Caller,
    reading: Reading,
    decide: Callable[[Decision], Mint],
    grant_type: str,
) -> Mint:
    """Decide, then store what was decided; return what can be handed out.

    :param reading: what the first decision is made on; later ones read anew
    :raises Refusal: what `decide` or the store raises; `server.contended` when the
        decision was overtaken again and again
    :raises Undecided: where a judge has to ask outside; then nothing was stored
    """
    with suppress(Overtaken):
        return _decide_and_store(Decision(context, caller, reading, grant_type), decide)
    for _ in range(ATTEMPTS - 1):
        with suppress(Overtaken), context.reading(reading.known) as again:
            return _decide_and_store(Decision(context, caller, again, grant_type), decide)
    raise contended()


def _decide_and_store(decision: Decision, decide: Callable[[Decision], Mint]) -> Mint:
    mint = decide(decision)
    with decision.context.db.write(mint.locks) as tx:
        _store(tx, mint)
    return mint


def _store(tx: Transaction, mint: Mint) -> None:
    # A catalogue edit, or a dropped key, counts as well: nothing is handed out on what was.
    if read_versions(tx) != mint.moment.versions or not mint.is_still_so(tx):
        raise Overtaken
    mint.caller.spend(tx)
    for write in mint.writes:
        write(tx)
    record(tx, mint.event)


def mint_delegated(
    decision: Decision,
    node: Delegation,
    *,
    subject: str,
    started_at: int | None,
    deadline: int,
    is_still_so: Callable[[Transaction], bool],
    new_nodes: tuple[Delegation, ...] = (),
    writes: tuple[Write, ...] = (),
    refresh_token: str | None = None,
    jti: str | None = None,
    opaque: str | None = None,
) -> Mint:
    """Make a token for `node`, with the nodes that must be stored for it.

    :param started_at: NumericDate of the task's beginning; None where it begins with this
    :param deadline: NumericDate of the task's end, which no token outlives
    :param jti: of the token, where it is stored with what is written
    :param opaque: the token itself, where it is no JWT
    :raises Refusal: the first judge that says no
    """
    _let_pass(decision, act_on(Action.ISSUE, node, started_at, deadline, decision.grant_type))
    context, moment, jti = decision.context, decision.moment, jti or new_id()
    expires_at = min(moment.now + token_lifetime(decision, node), node.expires_at, deadline)
    claims = delegated_claims(context.issuer, subject, node, jti, moment.now, expires_at)
    storing = tuple(
        partial(_store_node, node=new, limit=context.settings.delegation.max_nodes)
        for new in new_nodes
    )
    return Mint(
        caller=decision.caller,
        token=opaque or moment.keys.sign(claims, ACCESS_TOKEN_TYP, moment.now),
        scope=node.scope,
        details=node.details,
        moment=moment,
        expires_at=expires_at,
        event=_issued(node, jti, expires_at),
        locks=locks_of(node),
        is_still_so=is_still_so,
        writes=(*writes, *storing),
        refresh_token=refresh_token,
    )


def _let_pass(decision: Decision, act: Act) -> None:
    pass_judges(decision.context.judges, decision.reading, act)


def token_lifetime(decision: Decision, node: Delegation) -> int:
    """Return the seconds that a token for `node` lives, at most."""
    catalogue = decision.moment.catalogue
    lifetime = decision.context.settings.tokens.lifetime
    if node.target not in catalogue.servers:
        return lifetime
    rules = [catalogue.scopes[name] for name in node.scope if name in catalogue.scopes]
    return min([lifetime, *(r.token_lifetime for r in rules if r.token_lifetime)])


def _issued(node: Delegation, jti: str, expires_at: int) -> Event:
    return Event(
        "delegation.issued",
        person_id=node.person_id,
        agent=node.actor,
        task_id=node.task_id,
        delegation_id=node.id,
        chain=node.chain,
        facts={
            "jti": jti,
            "aud": node.target,
            "scope": line(node.scope),
            "parent_id": node.parent_id,
            "exp": expires_at,
        }
        | ({"approval_id": node.approval_id} if node.approval_id else {}),
    )


def locks_of(node: Delegation) -> tuple[Lock, ...]:
    """Return what a mint for `node` holds shared: catalogue, person, the chain's agents, task."""
    return (
        Lock(Kind.CATALOGUE, ""),
        Lock(Kind.PERSON, node.person_id),
        *(Lock(Kind.AGENT, client_id) for client_id in node.chain),
        Lock(Kind.TASK, node.task_id),
    )


def locks_alone(node: Delegation) -> tuple[Lock, ...]:
    """Return the same with the person held alone: for what is counted of them one at a time."""
    alone = Lock(Kind.PERSON, node.person_id, exclusive=True)
    return (alone, *(lock for lock in locks_of(node) if lock.kind is not Kind.PERSON))


def _store_node(tx: Transaction, *, node: Delegation, limit: int) -> None:
    draw(tx, f"nodes:{node.task_id}:{node.actor}", limit, "quota.nodes")
    # Another request for the same lease may have made it: then that node is leased instead.
    if not insert_unless_present(tx, delegation, delegation_to_row(node)):
        raise Overtaken


def mint_own(
    decision: Decision,
    agent: Agent,
    *,
    audience: str,
    scope: Words,
    is_still_so: Callable[[Transaction], bool],
) -> Mint:
    """Make a token for an agent that acts for itself: nobody's delegation, and no node.

    :raises Refusal: the first judge that says no
    """
    context, caller, moment = decision.context, decision.caller, decision.moment
    client_id, jti = agent.client_id, new_id()
    _let_pass(decision, Act(Action.ISSUE, client_id, audience, scope, decision.grant_type))
    expires_at = min(moment.now + context.settings.tokens.lifetime, agent.expires_at)
    claims = own_claims(context.issuer, agent, audience, scope, jti, moment.now, expires_at)
    facts = {"jti": jti, "aud": audience, "scope": line(scope), "exp": expires_at}
    return Mint(
        caller=caller,
        token=moment.keys.sign(claims, ACCESS_TOKEN_TYP, moment.now),
        scope=scope,
        details=None,
        moment=moment,
        expires_at=expires_at,
        event=Event("agent.token_issued", agent=client_id, facts=facts),
        locks=(Lock(Kind.CATALOGUE, ""), Lock(Kind.AGENT, client_id)),
        is_still_so=is_still_so,
    )


def mint_spawn_token(
    decision: Decision,
    node: Delegation,
    *,
    scope: Words,
    agent_jkt: str,
    started_at: int,
    deadline: int,
    is_still_so: Callable[[Transaction], bool],
    writes: tuple[Write, ...] = (),
) -> Mint:
    """Make a spawn token: opaque, used once, bound to the child's key, good for nothing else.

    :raises Refusal: the first judge that says no
    """
    context, caller, moment = decision.context, decision.caller, decision.moment
    spawning = replace(node, target=context.registration_endpoint, scope=scope, details=None)
    _let_pass(decision, act_on(Action.ISSUE, spawning, started_at, deadline, decision.grant_type))
    token = new_secret(SPAWN_TOKEN_PREFIX)
    expires_at = min(moment.now + context.settings.tokens.spawn_lifetime, node.expires_at)
    row = {
        "digest": digest(token),
        "delegation_id": node.id,
        "client_id": caller.client_id,
        "scope": line(scope),
        "agent_jkt": agent_jkt,
        "expires_at": expires_at,
    }
    return Mint(
        caller=caller,
        token=token,
        scope=scope,
        details=None,
        moment=moment,
        expires_at=expires_at,
        event=Event(
            "agent.spawn_issued",
            person_id=node.person_id,
            agent=caller.client_id,
            task_id=node.task_id,
            delegation_id=node.id,
            chain=node.chain,
            facts={"scope": line(scope), "agent_jkt": agent_jkt},
        ),
        locks=locks_of(node),
        is_still_so=is_still_so,
        writes=(*writes, insertion(spawn_token, row)),
    )


def insertion(table: Table, row: dict[str, object]) -> Write:
    """Return the write that inserts `row` into `table`."""

    def write(tx: Transaction) -> None:
        tx.execute(insert(table), row)

    return write
